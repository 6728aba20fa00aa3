// Short messages in the corner. The server sends them as an HX-Trigger header
// {"toast": {text, kind, undo}}; a page that was redirected to already contains them.

const MOST = 4;
const READ_MS = 7000;

const shelf = () => document.getElementById("toasts");

function button(label, act) {
  const made = document.createElement("button");
  made.className = "link";
  made.type = "button";
  made.textContent = label;
  made.addEventListener("click", act);
  return made;
}

function equip(toast, undo) {
  if (undo) {
    toast.append(button("Undo", () => {
      toast.remove();
      htmx.ajax("POST", undo, { source: document.body, swap: "none" });
    }));
  }
  toast.append(button("Close", () => toast.remove()));
  // What went wrong stays until it has been closed.
  if (!toast.classList.contains("bad")) setTimeout(() => leave(toast), READ_MS);
}

function leave(toast) {
  if (toast.matches(":hover, :focus-within")) setTimeout(() => leave(toast), READ_MS);
  else toast.remove();
}

export function show({ text, kind = "ok", undo = null }) {
  const toast = document.createElement("div");
  toast.className = `toast ${kind}`;
  const words = document.createElement("span");
  words.textContent = text;
  toast.append(words);
  equip(toast, undo);
  shelf().append(toast);
  while (shelf().children.length > MOST) shelf().firstElementChild.remove();
}

for (const toast of shelf().children) equip(toast, toast.dataset.undo);

document.addEventListener("toast", (event) => show(event.detail));
document.addEventListener("htmx:sendError", () => {
  show({ text: "The server cannot be reached. Nothing was changed; try again.", kind: "bad" });
});
document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
  const trigger = xhr.getResponseHeader("HX-Trigger") ?? "";
  if (xhr.status === 401 || trigger.includes('"toast"')) return;
  show({ text: `The server answered ${xhr.status}. Reload the page and try again.`, kind: "bad" });
});
