// A list to tick: a filter box, "tick all shown", and how many are ticked. Every handler
// listens on the document, so lists that arrive later work too.

const list = (element) => element.closest("[data-picklist]");
const boxes = (form) => [...form.querySelectorAll(".picks input")];
const shown = (form) => boxes(form).filter((box) => !box.closest("li").hidden);

function refresh(form) {
  const ticked = boxes(form).filter((box) => box.checked).length;
  const all = form.querySelector("[data-pick-all]");
  const visible = shown(form);
  all.checked = visible.length > 0 && visible.every((box) => box.checked);
  all.indeterminate = !all.checked && visible.some((box) => box.checked);
  form.querySelector("[data-pick-none]").hidden = visible.length > 0;
  form.querySelector("[data-pick-count]").textContent = ticked ? `${ticked} ticked` : "";
}

function filter(form, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const item of form.querySelectorAll(".picks li")) {
    const name = item.textContent.toLowerCase();
    item.hidden = !words.every((word) => name.includes(word));
  }
}

document.addEventListener("input", ({ target }) => {
  if (!target.matches("[data-pick-filter]")) return;
  filter(list(target), target.value);
  refresh(list(target));
});

document.addEventListener("change", ({ target }) => {
  const form = target.closest?.("[data-picklist]");
  if (!form) return;
  if (target.matches("[data-pick-all]")) for (const box of shown(form)) box.checked = target.checked;
  refresh(form);
});

// Enter in the filter box must not send the form.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("[data-pick-filter]")) event.preventDefault();
});
