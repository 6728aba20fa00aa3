// A distribution function: which share of the answers had come after so long, as steps.

import { DASH, axisTitle, hideTicks, options, planeScale, valueScale } from "./parts.js";

export function distribution({ lines, unit }, theme) {
  const last = lines.flatMap((line) => line.points.slice(-1).map(([value]) => value));
  const scales = {
    x: valueScale(theme, { suggestedMax: Math.max(1, ...last) * 1.02, title: axisTitle(unit, theme) }),
    y: planeScale(theme, { max: 1, title: axisTitle("Share of answers, %", theme) }),
  };
  scales.y.ticks = { ...scales.y.ticks, callback: (share) => `${Math.round(100 * share)}` };
  if (!last.length) hideTicks(scales.x, scales.y);
  const datasets = lines.map((line) => ({
    data: [...line.points.slice(0, 1).map(([x]) => ({ x, y: 0 })), ...line.points.map(([x, y]) => ({ x, y }))],
    borderColor: theme.data(line.colour),
    backgroundColor: theme.data(line.colour),
    borderWidth: 2,
    borderDash: line.dashed ? DASH : [],
    clip: false,
    pointRadius: 0,
    pointHitRadius: 8,
    stepped: "before",
  }));
  const textOf = (item) => lines[item.datasetIndex].deciles[Math.round(10 * item.parsed.y)];
  return { type: "line", data: { datasets }, options: options(theme, scales, textOf), plugins: [] };
}
