// The matrix asks for itself again as trials land; whoever scrolled in it stays where they are.

const frame = () => document.querySelector(".matrix-frame");
let place = null;

document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
  if (target.id === "matrix-body" && frame()) place = [frame().scrollLeft, frame().scrollTop];
});

document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  if (target.id === "matrix-body" && place) frame()?.scrollTo(...place);
  place = null;
});
