// Charts are islands: the canvas is never replaced, its data arrives in a hidden element
// that live updates replace (js/live.js announces each arrival as `studio:data`).
//
//   <canvas data-chart="speed"></canvas>
//   <canvas data-chart="latency:2"></canvas>  the second one of a kind
//   <div id="run-charts" data-chart-data hidden>{"speed": {"label": "…", "rows": […]}}</div>

import { byLevel } from "./charts/by_level.js";
import { context } from "./charts/context.js";
import { distribution } from "./charts/distribution.js";
import { firstToken } from "./charts/first_token.js";
import { loadCurve } from "./charts/load_curve.js";
import { speed } from "./charts/speed.js";
import { onThemeChange, readTheme } from "./charts/theme.js";
import { tradeoff } from "./charts/tradeoff.js";

const KINDS = {
  speed,
  first_token: firstToken,
  tradeoff,
  context_speed: context,
  context_first_token: context,
  context_recall: context,
  load_curve: loadCurve,
  latency: byLevel,
  goodput: byLevel,
  ecdf_first: distribution,
  ecdf_answer: distribution,
};

const drawn = new Map();
let latest = {};

function drawAll() {
  const theme = readTheme();
  for (const canvas of document.querySelectorAll("canvas[data-chart]")) {
    const data = latest[canvas.dataset.chart];
    if (data) draw(canvas, data, theme);
  }
}

function draw(canvas, data, theme) {
  const config = KINDS[canvas.dataset.chart.split(":")[0]](data, theme);
  canvas.setAttribute("aria-label", data.label);
  const chart = drawn.get(canvas);
  if (!chart) {
    drawn.set(canvas, start(canvas, config));
    return;
  }
  chart.$studio = config.studio;
  chart.data = config.data;
  chart.options = config.options;
  chart.update("none");
}

// Plugins draw from `$studio`, which must be there before the first drawing.
function start(canvas, { studio, ...config }) {
  const early = { id: "studio", beforeInit: (chart) => { chart.$studio = studio; } };
  return new window.Chart(canvas, { ...config, plugins: [early, ...config.plugins] });
}

document.addEventListener("studio:data", ({ detail }) => {
  latest = detail.data;
  drawAll();
});
onThemeChange(drawAll);
// Canvases measure text once; the web font may arrive after the first drawing.
document.fonts.ready.then(drawAll);
