// A file that goes into a text field: <input type="file" data-into="prompts">. It is read here,
// so that a form needs no upload; without scripts one pastes.

function show(root) {
  for (const field of root.querySelectorAll("[data-with-script]")) field.hidden = false;
}

document.addEventListener("change", async ({ target }) => {
  if (!target.dataset?.into || !target.files.length) return;
  const field = document.getElementById(target.dataset.into);
  field.value = await target.files[0].text();
  field.dispatchEvent(new Event("input", { bubbles: true }));
});

show(document);
document.addEventListener("htmx:load", ({ detail: { elt } }) => show(elt));
