// Time to first token: every run as a point and the median as a mark; with too many runs
// to tell points apart, the middle half as a bar and the range as a line.

import { hideTicks, nameScale, options, pen, valueScale, valueTicks, whisker } from "./parts.js";
import { faded } from "./theme.js";

const MARK = 12;
// Points of a row are moved apart in this order, as a share of the row's height, so that
// the same data always draws the same picture.
const OFFSETS = [-0.08, 0.06, -0.13, 0.0, 0.12, -0.04, 0.09, -0.1, 0.03, 0.14];

const marks = {
  id: "first-token-marks",
  afterDatasetsDraw(chart) {
    const { rows, theme } = chart.$studio;
    chart.ctx.save();
    rows.forEach((row, index) => drawRow(chart, row, chart.scales.y.getPixelForValue(index), theme));
    chart.ctx.restore();
  },
};

function drawRow(chart, row, y, theme) {
  const context = chart.ctx;
  const at = (value) => chart.scales.x.getPixelForValue(value);
  if (row.spread) {
    const [least, low, high, most] = row.spread.map(at);
    pen(context, theme.data(row.colour), 1.5);
    whisker(context, least, y, most, y, 4);
    context.fillStyle = faded(theme.data(row.colour), 0.65);
    context.fillRect(low, y - 8, Math.max(1, high - low), 16);
  }
  if (row.median === null) return;
  pen(context, theme.ink, 2);
  context.beginPath();
  context.moveTo(at(row.median), y - MARK);
  context.lineTo(at(row.median), y + MARK);
  context.stroke();
}

function points(row, index, theme) {
  return {
    data: row.points.map((x, i) => ({ x, y: index + OFFSETS[i % OFFSETS.length] })),
    backgroundColor: faded(theme.data(row.colour), 0.65),
    borderWidth: 0,
    clip: false,
    pointRadius: 4,
    pointHoverRadius: 5,
  };
}

export function firstToken({ rows }, theme) {
  const most = Math.max(0, ...rows.flatMap((row) => [...row.points, ...(row.spread ?? [])]));
  const x = valueScale(theme, { suggestedMax: most || 1 });
  if (!most) hideTicks(x);
  x.grid = valueTicks(theme);
  return {
    type: "scatter",
    data: { datasets: rows.map((row, index) => points(row, index, theme)) },
    options: options(
      theme,
      { x, y: nameScale(rows.map((row) => row.name), theme, false) },
      (item) => rows[item.datasetIndex].texts[item.dataIndex],
    ),
    plugins: [marks],
    studio: { rows, theme },
  };
}
