// Colours and type for canvases, read from the page's own tokens.

const TOKENS = ["ink", "muted", "line", "line-strong", "surface"];
const DATA_COLOURS = 8;

// A custom property holds `light-dark(...)` as text; only a used value is resolved, so
// each token is read through the colour of a probe element.
function resolve(probe, name) {
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

export function readTheme() {
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const theme = Object.fromEntries(TOKENS.map((name) => [name, resolve(probe, name)]));
  const palette = Array.from({ length: DATA_COLOURS }, (_, i) => resolve(probe, `d${i + 1}`));
  probe.remove();
  // From the eighth on they share one, like the swatches beside the names.
  theme.data = (number) => palette[Math.min(number, DATA_COLOURS) - 1];
  theme.font = getComputedStyle(document.body).fontFamily;
  return theme;
}

export function faded(colour, alpha) {
  const parts = colour.match(/[\d.]+/g).slice(0, 3);
  return `rgba(${parts.join(", ")}, ${alpha})`;
}

// The theme changes by the user's choice (data-theme) or with the system's.
export function onThemeChange(callback) {
  new MutationObserver(callback).observe(document.documentElement, {
    attributeFilter: ["data-theme"],
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", callback);
}
