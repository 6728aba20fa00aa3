// What happens around the page's one WebSocket: the warning while it is lost, the title of
// the page, and data for charts. The htmx extension itself connects, swaps and reconnects.

const PATIENCE_MS = 1500;
const SIGNED_OUT = 1008;
const ownTitle = document.title;
const product = ownTitle.split(" · ").at(-1);
let warning = 0;

function lost(text) {
  const banner = document.getElementById("lost");
  if (text) banner.textContent = text;
  banner.hidden = false;
}

document.addEventListener("htmx:wsClose", ({ detail: { event } }) => {
  clearTimeout(warning);
  if (event.code === SIGNED_OUT) lost("You are signed out. Reload the page to sign in again.");
  else warning = setTimeout(lost, PATIENCE_MS);
});

document.addEventListener("htmx:wsOpen", () => {
  clearTimeout(warning);
  document.getElementById("lost").hidden = true;
});

// A closed socket is said by the banner; the extension's own error would only fill the console.
document.addEventListener("htmx:wsError", (event) => event.preventDefault());

addEventListener("pagehide", () => clearTimeout(warning));

// A swap from the socket takes the focus away with the element that had it.
let focused = "";
document.addEventListener("htmx:wsBeforeMessage", () => { focused = document.activeElement.id; });
document.addEventListener("htmx:wsAfterMessage", () => {
  if (focused && document.activeElement === document.body) {
    document.getElementById(focused)?.focus({ preventScroll: true });
  }
});

function setTitle() {
  const title = document.getElementById("live-title")?.dataset.title;
  document.title = title ? `${title} · ${product}` : ownTitle;
}

// Charts are islands: the canvas stays, its data arrives in a hidden element
// <div id="chart-speed" data-chart-data hidden>{"…": …}</div>.
function announce(source) {
  const detail = { id: source.id, data: JSON.parse(source.textContent) };
  source.dispatchEvent(new CustomEvent("studio:data", { bubbles: true, detail }));
}

// htmx:load comes for every element that was swapped in, from the socket as well.
document.addEventListener("htmx:load", ({ detail: { elt } }) => {
  setTitle();
  if (elt.id === "bell-list") document.body.dispatchEvent(new CustomEvent("studio:jobs"));
  // A fragment may only say that something else on the page is out of date.
  if (elt.dataset.news) document.body.dispatchEvent(new CustomEvent(elt.dataset.news, { bubbles: true }));
  if (elt.matches("[data-chart-data]")) announce(elt);
  elt.querySelectorAll("[data-chart-data]").forEach(announce);
});
