// The chosen theme shows at once; htmx stores it. Charts repaint on "studio:theme".

document.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-theme-choice]")) return;
  document.documentElement.dataset.theme = target.value;
  for (const other of document.querySelectorAll("[data-theme-choice]")) other.value = target.value;
  document.dispatchEvent(new CustomEvent("studio:theme"));
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  document.dispatchEvent(new CustomEvent("studio:theme"));
});
