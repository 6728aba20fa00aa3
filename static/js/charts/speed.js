// Output speed: one bar a model, from zero, with its interval as a whisker.

import { canvasFont, hideTicks, nameScale, options, pen, valueScale, valueTicks, whisker } from "./parts.js";

const CAP = 6;

const intervals = {
  id: "speed-intervals",
  afterDatasetsDraw(chart) {
    const { rows, theme } = chart.$studio;
    const context = chart.ctx;
    context.save();
    context.textBaseline = "middle";
    chart.getDatasetMeta(0).data.forEach((bar, index) => drawRow(chart, rows[index], bar.y, theme));
    context.restore();
  },
};

function drawRow(chart, row, y, theme) {
  const context = chart.ctx;
  const at = (value) => chart.scales.x.getPixelForValue(value);
  if (row.value === null) {
    pen(context, theme.muted, 1);
    context.font = canvasFont(theme);
    context.fillText(row.shown, at(0) + 10, y);
    return;
  }
  pen(context, theme.ink, 1.5);
  if (row.low !== null) whisker(context, at(row.low), y, at(row.high), y, CAP);
  context.font = canvasFont(theme, 550);
  context.fillText(row.shown, at(Math.max(row.value, row.high ?? 0)) + 10, y);
}

export function speed({ rows }, theme) {
  const top = Math.max(0, ...rows.map((row) => Math.max(row.value ?? 0, row.high ?? 0)));
  const bars = {
    data: rows.map((row, y) => ({ x: row.value, y })),
    backgroundColor: rows.map((row) => theme.data(row.colour)),
    barThickness: 20,
    borderRadius: 3,
    grouped: false,
  };
  // The value axis is drawn invisibly: it keeps rows level with the chart beside it.
  const hidden = valueScale(theme, { max: (top || 1) * 1.15, border: { display: false } });
  hideTicks(hidden);
  hidden.grid = { ...valueTicks(theme), tickColor: "transparent" };
  return {
    type: "bar",
    data: { datasets: [bars] },
    options: {
      ...options(theme, { x: hidden, y: nameScale(rows.map((row) => row.name), theme, true) }, (item) => rows[item.dataIndex].text),
      indexAxis: "y",
    },
    plugins: [intervals],
    studio: { rows, theme },
  };
}
