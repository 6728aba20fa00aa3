// A figure by load level: lines over levels at even distances, intervals as whiskers, names at
// the ends of lines of one colour.

import { axisTitle, hideTicks, nameBeside, options, pen, planeScale, valueScale, whisker } from "./parts.js";
import { faded } from "./theme.js";

// Lines of one model: the first is full, the others are dashed more and more finely.
const DASHES = [[], [8, 4], [5, 4], [2, 3], [1, 3]];
const STRENGTH = [1, 0.85, 0.7, 0.6, 1];

// Lines that end at one place share a name: "p90–p95".
function together(ends) {
  const kept = [];
  for (const end of ends) {
    const same = kept.find((other) => other.x === end.x && Math.abs(other.y - end.y) < 9);
    if (same) same.last = end.name;
    else kept.push({ ...end, last: end.name });
  }
  return kept;
}

const marks = {
  id: "by-level-marks",
  afterDatasetsDraw(chart) {
    const { lines, named, theme } = chart.$studio;
    const { x, y } = chart.scales;
    const taken = [];
    const ends = [];
    chart.ctx.save();
    lines.forEach((line, index) => {
      pen(chart.ctx, theme.data(line.colour), 1.5);
      for (const point of line.points) {
        if (point.low === null) continue;
        const at = x.getPixelForValue(point.x);
        whisker(chart.ctx, at, y.getPixelForValue(point.low), at, y.getPixelForValue(point.high), 4);
      }
      const end = chart.getDatasetMeta(index).data.at(-1);
      if (named && end) ends.push({ name: line.name, x: end.x, y: end.y });
    });
    for (const end of together(ends)) {
      const places = () => [0, -10, 10, -20, 20].map((dy) => [end.x + 8, end.y + dy]);
      const name = end.name === end.last ? end.name : `${end.name}–${end.last}`;
      nameBeside(chart, name, places, taken, theme, 400);
    }
    chart.ctx.restore();
  },
};

function dataset(line, theme) {
  const colour = theme.data(line.colour);
  return {
    data: line.points.map(({ x, y }) => ({ x, y })),
    borderColor: faded(colour, STRENGTH[line.step]),
    backgroundColor: colour,
    borderWidth: 2,
    borderDash: DASHES[line.step],
    clip: false,
    pointRadius: 3,
    pointHoverRadius: 5,
  };
}

export function byLevel({ lines, levels, title, unit, most }, theme) {
  const named = new Set(lines.map((line) => line.colour)).size < lines.length;
  const highs = lines.flatMap((line) => line.points.map((point) => point.high ?? point.y));
  const x = valueScale(theme, {
    beginAtZero: false,
    min: -0.25,
    max: levels.length - 1 + (named ? Math.max(0.45, 0.25 * levels.length) : 0.25), // room for names
    title: axisTitle(title, theme),
    afterBuildTicks: (scale) => { scale.ticks = levels.map((_, value) => ({ value })); },
  });
  x.ticks = { ...x.ticks, maxTicksLimit: levels.length, callback: (value) => levels[value] ?? "" };
  const top = most === undefined ? { suggestedMax: Math.max(1, ...highs) * 1.05 } : { max: most };
  const y = planeScale(theme, { ...top, title: axisTitle(unit, theme) });
  if (!highs.length) hideTicks(y);
  return {
    type: "line",
    data: { datasets: lines.map((line) => dataset(line, theme)) },
    options: options(theme, { x, y }, (item) => lines[item.datasetIndex].points[item.dataIndex].text),
    plugins: [marks],
    studio: { lines, named, theme },
  };
}
