// Keyboard shortcuts; the dialog of `?` (templates/_keys.html) and docs/pages.md list them.

const NEXT_KEY_MS = 1200;
let goingUntil = 0;

const help = () => document.getElementById("keys");

function isTyping(target) {
  return target.isContentEditable || target.matches("input, select, textarea");
}

function follow(link) {
  if (link) location.assign(link.href);
}

const actions = {
  "/": () => document.querySelector("[type=search]")?.focus(),
  "?": () => help().showModal(),
  n: () => follow(help().querySelector("[data-new]")),
  g: () => { goingUntil = performance.now() + NEXT_KEY_MS; },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (help().open) return;
  const going = performance.now() < goingUntil;
  goingUntil = 0;
  if (going) {
    const link = document.querySelector(`.side [data-key="${CSS.escape(event.key)}"]`);
    if (link) follow(link);
  } else if (Object.hasOwn(actions, event.key)) {
    event.preventDefault();
    actions[event.key]();
  }
});
