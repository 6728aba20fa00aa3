// The matrix of an evaluation that runs: it asks for itself again after trials have landed, and
// whoever scrolled in it stays where they are. The last news always counts: a refresh that is due
// while another is under way comes after it.

const PAUSE_MS = 500;
const matrix = () => document.getElementById("matrix-body");
const frame = () => document.querySelector(".matrix-frame");
let due = null;
let place = null;

function refresh() {
  due = null;
  if (matrix().classList.contains("htmx-request")) schedule();
  else htmx.trigger(matrix(), "studio:refresh");
}

function schedule() {
  if (matrix()?.hasAttribute("hx-get")) due ??= setTimeout(refresh, PAUSE_MS);
}

document.addEventListener("studio:trials", schedule);

document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
  if (target.id === "matrix-body" && frame()) place = [frame().scrollLeft, frame().scrollTop];
});

document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  if (target.id === "matrix-body" && place) frame()?.scrollTo(...place);
  place = null;
});
