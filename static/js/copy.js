// Buttons that copy a text of the page: <button data-copy="#command" hidden>Copy</button>.
// They stay hidden where the browser lets no page write to the clipboard.

const SAID_MS = 2000;

async function copy(button) {
  await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent);
  const label = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = label; }, SAID_MS);
}

if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}
