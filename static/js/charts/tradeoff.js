// Speed against first token: one point a model with both intervals; up and left is better.

import { axisTitle, canvasFont, fitText, hideTicks, options, pen, valueScale, whisker } from "./parts.js";

const GAP = 10;
const NAME_SHARE = 0.4; // of the chart's width, at most, for one name

const labels = {
  id: "tradeoff-labels",
  afterDatasetsDraw(chart) {
    const { rows, theme } = chart.$studio;
    chart.ctx.save();
    const taken = [];
    rows.forEach((row, index) => {
      const point = chart.getDatasetMeta(index).data[0];
      if (!point) return;
      drawIntervals(chart, row, point, theme);
      drawName(chart, row, point, theme, taken);
    });
    chart.ctx.restore();
  },
};

function drawIntervals(chart, row, point, theme) {
  const { x, y } = chart.scales;
  pen(chart.ctx, theme.data(row.colour), 1.5);
  if (row.x_low !== null) {
    whisker(chart.ctx, x.getPixelForValue(row.x_low), point.y, x.getPixelForValue(row.x_high), point.y, 3);
  }
  if (row.y_low !== null) {
    whisker(chart.ctx, point.x, y.getPixelForValue(row.y_low), point.x, y.getPixelForValue(row.y_high), 3);
  }
}

// Beside the point, where it hides no other name; without room the tooltip has to do.
function drawName(chart, row, point, theme, taken) {
  const context = chart.ctx;
  context.font = canvasFont(theme, 550);
  const name = fitText(context, row.name, chart.width * NAME_SHARE);
  const width = context.measureText(name).width;
  const places = [
    [point.x + GAP, point.y - 9],
    [point.x - GAP - width, point.y - 9],
    [point.x + GAP, point.y + 9],
    [point.x - GAP - width, point.y + 9],
    [point.x + GAP, point.y - 25],
    [point.x + GAP, point.y + 25],
  ];
  const { left, right } = chart.chartArea;
  const box = ([x, y]) => ({ left: x, right: x + width, top: y - 8, bottom: y + 8 });
  const free = (area) =>
    area.left >= left && area.right <= right && !taken.some((other) => overlaps(area, other));
  const place = places.find((candidate) => free(box(candidate)));
  if (!place) return;
  taken.push(box(place));
  pen(context, theme.ink, 1);
  context.textBaseline = "middle";
  context.fillText(name, place[0], place[1]);
}

function overlaps(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

export function tradeoff({ rows }, theme) {
  const known = rows.filter((row) => row.x !== null && row.y !== null);
  const top = (key, high) => Math.max(1, ...known.map((row) => row[high] ?? row[key])) * 1.15;
  const scales = {
    x: valueScale(theme, { suggestedMax: top("x", "x_high"), title: axisTitle("First token, ms", theme) }),
    y: valueScale(theme, { suggestedMax: top("y", "y_high"), title: axisTitle("Output, tokens/s", theme) }),
  };
  if (!known.length) hideTicks(scales.x, scales.y);
  scales.y.grid = { color: theme.line, drawTicks: false };
  scales.y.border = { display: false };
  const datasets = known.map((row) => ({
    data: [{ x: row.x, y: row.y }],
    backgroundColor: theme.data(row.colour),
    borderWidth: 0,
    clip: false,
    pointRadius: 5,
    pointHoverRadius: 6,
  }));
  return {
    type: "scatter",
    data: { datasets },
    options: options(theme, scales, (item) => known[item.datasetIndex].text),
    plugins: [labels],
    studio: { rows: known, theme },
  };
}
