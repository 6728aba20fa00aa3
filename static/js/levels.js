// A line of numbers as chips: <input name="levels" value="1, 8, 64" data-chips="level">.
// The field itself stays, hidden, and keeps the text that is sent; without scripts it is
// what one types into.

const SEPARATOR = /[\s,;]+/;
const parts = (text) => text.split(SEPARATOR).filter(Boolean);
const isGood = (part) => Number.isFinite(Number(part)) && Number(part) > 0;
const byValue = (a, b) => (isGood(a) && isGood(b) ? Number(a) - Number(b) : isGood(b) - isGood(a));

function chip(text, what, remove) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = isGood(text) ? "token" : "token bad";
  made.textContent = `${text} ×`;
  made.setAttribute("aria-label", `Remove ${what} ${text}`);
  made.addEventListener("click", remove);
  return made;
}

function equip(field) {
  const box = document.createElement("div");
  const typing = field.cloneNode();
  box.className = "tokens";
  field.removeAttribute("id");
  field.removeAttribute("data-chips");
  field.type = "hidden";
  typing.removeAttribute("name");
  typing.removeAttribute("data-chips");
  typing.value = "";
  typing.placeholder = "Add";
  let values = parts(field.value);

  const draw = () => {
    box.replaceChildren(
      ...values.map((value, index) => chip(value, field.dataset.what, () => {
        change(values.filter((_, i) => i !== index));
        typing.focus();
      })),
      typing,
    );
  };
  const change = (next) => {
    values = [...new Set(next)].sort(byValue);
    field.value = values.join(", ");
    const typed = document.activeElement === typing;
    draw();
    if (typed) typing.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const take = () => {
    const more = parts(typing.value);
    typing.value = "";
    if (more.length) change([...values, ...more]);
  };

  typing.addEventListener("input", (event) => {
    event.stopPropagation(); // half a number changes nothing yet
    if (SEPARATOR.test(typing.value)) take();
  });
  typing.addEventListener("change", take);
  typing.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && typing.value) {
      event.preventDefault();
      take();
    } else if (event.key === "Backspace" && !typing.value) change(values.slice(0, -1));
  });
  box.addEventListener("click", (event) => { if (event.target === box) typing.focus(); });
  field.after(box);
  draw();
}

function equipAll(root) {
  for (const field of root.querySelectorAll("input[data-chips]")) {
    field.dataset.what = field.dataset.chips;
    equip(field);
  }
}

equipAll(document);
document.addEventListener("htmx:load", ({ detail: { elt } }) => equipAll(elt));
