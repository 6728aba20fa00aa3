// What the charts share: scales, names that fit, whiskers, tooltips.

const FONT_SIZE = 12;
const NAME_SHARE = 0.34; // of the chart's width, at most, for the names of the rows

export function font(theme, weight = 400) {
  return { family: theme.font, size: FONT_SIZE, weight };
}

export function canvasFont(theme, weight = 400) {
  return `${weight} ${FONT_SIZE}px ${theme.font}`;
}

export function fitText(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let kept = text;
  while (kept.length > 1 && context.measureText(`${kept}…`).width > width) {
    kept = kept.slice(0, -1);
  }
  return `${kept}…`;
}

function fitName(scale, name, theme) {
  const context = scale.chart.ctx;
  context.save();
  context.font = canvasFont(theme);
  const text = fitText(context, name, scale.chart.width * NAME_SHARE - 16);
  context.restore();
  return text;
}

// The axis that names the rows: `names[i]` stands at the height of value i.
export function nameScale(names, theme, rule) {
  return {
    type: "linear",
    min: -0.5,
    max: names.length - 0.5,
    offset: false, // bars would add half a row at both ends
    reverse: true,
    afterBuildTicks: (scale) => {
      scale.ticks = names.map((_, value) => ({ value }));
    },
    afterFit: (scale) => {
      scale.width = Math.min(scale.width, scale.chart.width * NAME_SHARE);
    },
    ticks: {
      autoSkip: false,
      crossAlign: "far",
      color: theme.muted,
      font: font(theme),
      padding: 8,
      callback(value) {
        return fitName(this, names[value] ?? "", theme);
      },
    },
    grid: { display: false },
    border: { display: rule, color: theme["line-strong"] },
  };
}

export function valueScale(theme, extra = {}) {
  return {
    type: "linear",
    beginAtZero: true,
    ticks: { color: theme.muted, font: font(theme), maxTicksLimit: 6, maxRotation: 0, padding: 4 },
    grid: { display: false },
    border: { color: theme["line-strong"] },
    ...extra,
  };
}

// Unseen numbers keep their room, so that nothing moves when there are some.
export function hideTicks(...scales) {
  for (const scale of scales) scale.ticks = { ...scale.ticks, color: "transparent" };
}

export function valueTicks(theme) {
  return { drawOnChartArea: false, tickLength: 4, tickColor: theme["line-strong"] };
}

export function axisTitle(text, theme) {
  return { display: true, text, color: theme.muted, font: font(theme), padding: 4 };
}

// `textOf(item)` is a sentence the server wrote; charts format no number of their own.
export function options(theme, scales, textOf) {
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    layout: { padding: 0 },
    scales,
    plugins: {
      legend: { display: false },
      tooltip: {
        backgroundColor: theme.ink,
        bodyColor: theme.surface,
        bodyFont: font(theme),
        cornerRadius: 4,
        padding: 8,
        displayColors: false,
        caretSize: 0,
        callbacks: { title: () => "", label: textOf },
      },
    },
  };
}

// A line from one value to another with short ends across it.
export function whisker(context, x0, y0, x1, y1, cap) {
  const [dx, dy] = y0 === y1 ? [0, cap] : [cap, 0];
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  for (const [x, y] of [[x0, y0], [x1, y1]]) {
    context.moveTo(x - dx, y - dy);
    context.lineTo(x + dx, y + dy);
  }
  context.stroke();
}

export function pen(context, colour, width) {
  context.strokeStyle = colour;
  context.fillStyle = colour;
  context.lineWidth = width;
}

export const DASH = [6, 4];

// A two-value chart's y axis: thin lines across, no rule at its side.
export function planeScale(theme, extra = {}) {
  return valueScale(theme, {
    grid: { color: theme.line, drawTicks: false },
    border: { display: false },
    ...extra,
  });
}

// Names beside points or line ends, each where it hides no other; without room the tooltip
// has to do. `places` are [x, y] of the text's left middle, best first.
export function nameBeside(chart, text, places, taken, theme, weight = 550) {
  const context = chart.ctx;
  context.font = canvasFont(theme, weight);
  const width = context.measureText(text).width;
  const { left, right, top } = chart.chartArea;
  const box = ([x, y]) => ({ left: x, right: x + width, top: y - 8, bottom: y + 8 });
  const free = (area) =>
    area.left >= left && area.right <= right + 2 && area.top >= top - 12 &&
    !taken.some((other) => overlaps(area, other));
  const place = places(width).find((candidate) => free(box(candidate)));
  if (!place) return;
  taken.push(box(place));
  pen(context, theme.ink, 1);
  context.textBaseline = "middle";
  context.fillText(text, place[0], place[1]);
}

function overlaps(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
