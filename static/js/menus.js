// Menus are <details class="menu">: a press outside or Esc closes them.

function closeOthers(keep) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== keep) menu.open = false;
  }
}

document.addEventListener("click", (event) => {
  // What was pressed may have been swapped away by now; then nothing is closed.
  if (event.target.isConnected) closeOthers(event.target.closest("details.menu"));
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.querySelector("details.menu[open] > summary")?.focus();
  closeOthers(null);
});
