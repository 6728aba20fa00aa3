// A figure over the context size: one line a model, intervals as whiskers.

import { axisTitle, hideTicks, options, pen, valueScale, whisker } from "./parts.js";

const TICK_ROOM = 36; // pixels for the name of a size

const intervals = {
  id: "context-intervals",
  beforeDatasetsDraw(chart) {
    const { lines, theme } = chart.$studio;
    const { x, y } = chart.scales;
    chart.ctx.save();
    for (const line of lines) {
      pen(chart.ctx, theme.data(line.colour), 1.5);
      for (const point of line.points) {
        if (point.low === null) continue;
        const at = x.getPixelForValue(point.x);
        whisker(chart.ctx, at, y.getPixelForValue(point.low), at, y.getPixelForValue(point.high), 4);
      }
    }
    chart.ctx.restore();
  },
};

function dataset(line, theme) {
  return {
    data: line.points.map(({ x, y }) => ({ x, y })),
    borderColor: theme.data(line.colour),
    backgroundColor: theme.data(line.colour),
    borderWidth: 2,
    clip: false,
    pointRadius: 3.5,
    pointHoverRadius: 5,
  };
}

// The sizes whose names have room on the axis; the first and the last always have.
function apart(tiers, scale) {
  const pixels = scale.chart.width / (tiers.at(-1).tokens || 1);
  const far = (a, b) => (b.tokens - a.tokens) * pixels > TICK_ROOM;
  const kept = [tiers[0]];
  for (const tier of tiers.slice(1, -1)) {
    if (far(kept.at(-1), tier) && far(tier, tiers.at(-1))) kept.push(tier);
  }
  return tiers.length > 1 ? [...kept, tiers.at(-1)] : kept;
}

export function context({ lines, tiers, unit, most }, theme) {
  const highs = lines.flatMap((line) => line.points.map((point) => point.high ?? point.y));
  const x = valueScale(theme, {
    max: tiers.at(-1).tokens || 1,
    title: axisTitle("Context, tokens", theme),
    afterBuildTicks: (scale) => {
      scale.ticks = apart(tiers, scale).map(({ tokens }) => ({ value: tokens }));
    },
  });
  const names = new Map(tiers.map(({ tokens, name }) => [tokens, name]));
  x.ticks = { ...x.ticks, autoSkip: false, callback: (value) => names.get(value) ?? "" };
  const y = valueScale(theme, {
    ...(most === undefined ? { suggestedMax: Math.max(1, ...highs) * 1.05 } : { max: most }),
    title: axisTitle(unit, theme),
    grid: { color: theme.line, drawTicks: false },
    border: { display: false },
  });
  if (!highs.length) hideTicks(y);
  return {
    type: "line",
    data: { datasets: lines.map((line) => dataset(line, theme)) },
    options: options(theme, { x, y }, (item) => lines[item.datasetIndex].points[item.dataIndex].text),
    plugins: [intervals],
    studio: { lines, theme },
  };
}
