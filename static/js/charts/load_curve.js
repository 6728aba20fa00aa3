// First token by throughput: one line a model, one point a load level named by its streams or
// rate; the knee wears a ring.

import { DASH, axisTitle, hideTicks, nameBeside, options, pen, planeScale, valueScale, whisker } from "./parts.js";

const GAP = 9;
const RING = 9;

const marks = {
  id: "load-curve-marks",
  afterDatasetsDraw(chart) {
    const { lines, theme } = chart.$studio;
    const taken = [];
    chart.ctx.save();
    lines.forEach((line, index) => {
      chart.getDatasetMeta(index).data.forEach((dot, i) => {
        taken.push({ left: dot.x - 4, right: dot.x + 4, top: dot.y - 4, bottom: dot.y + 4 });
        drawPoint(chart, line, line.points[i], dot, theme);
      });
    });
    lines.forEach((line, index) => {
      chart.getDatasetMeta(index).data.forEach((dot, i) => drawName(chart, line.points[i], dot, taken, theme));
    });
    chart.ctx.restore();
  },
};

function drawPoint(chart, line, point, dot, theme) {
  const { y } = chart.scales;
  pen(chart.ctx, theme.data(line.colour), 1.5);
  if (point.low !== null) {
    whisker(chart.ctx, dot.x, y.getPixelForValue(point.low), dot.x, y.getPixelForValue(point.high), 4);
  }
  if (!point.knee) return;
  pen(chart.ctx, theme.ink, 1.5);
  chart.ctx.beginPath();
  chart.ctx.arc(dot.x, dot.y, RING, 0, 2 * Math.PI);
  chart.ctx.stroke();
}

function drawName(chart, point, dot, taken, theme) {
  const text = point.knee ? `${point.name}, knee` : point.name;
  const away = point.knee ? RING + 5 : GAP;
  const places = (width) => [
    [dot.x - away - width, dot.y - GAP],
    [dot.x + away, dot.y + GAP],
    [dot.x + away, dot.y - GAP],
    [dot.x - away - width, dot.y + GAP],
    [dot.x - width / 2, dot.y - 22],
    [dot.x - width / 2, dot.y + 22],
  ];
  nameBeside(chart, text, places, taken, theme, point.knee ? 550 : 400);
}

export function loadCurve({ lines }, theme) {
  const points = lines.flatMap((line) => line.points);
  const top = (values) => Math.max(1, ...values) * 1.08;
  const scales = {
    x: valueScale(theme, { suggestedMax: top(points.map((p) => p.x)), title: axisTitle("All streams, tokens/s", theme) }),
    y: planeScale(theme, { suggestedMax: top(points.map((p) => p.high ?? p.y)), title: axisTitle("First token, ms", theme) }),
  };
  if (!points.length) hideTicks(scales.x, scales.y);
  return {
    type: "line",
    data: {
      datasets: lines.map((line) => ({
        data: line.points.map(({ x, y }) => ({ x, y })),
        borderColor: theme.data(line.colour),
        backgroundColor: theme.data(line.colour),
        borderWidth: 2,
        borderDash: line.dashed ? DASH : [],
        clip: false,
        pointRadius: 4,
        pointHoverRadius: 5,
      })),
    },
    options: options(theme, scales, (item) => lines[item.datasetIndex].points[item.dataIndex].text),
    plugins: [marks],
    studio: { lines, theme },
  };
}
