// A curve as a picture: lines over two logarithmic scales, each with its name
// at its end; or, where the points are names, bars beside each other.
import { figure } from "./table.mjs";

// Told apart by the colour-blind too (Okabe and Ito, 2008).
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B8860B", "#444444"];
const FONT = "font-family=\"system-ui, 'DejaVu Sans', sans-serif\"";
const INK = "#1a1a1a";
const FAINT = "#d9d9d9";
const GREY = "#5a5a5a";

const quoted = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const text = (x, y, value, more = "") =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${quoted(value)}</text>`;
const line = (x1, y1, x2, y2, stroke, width = 1) =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="${stroke}" stroke-width="${width}"/>`;

function sheet(width, height, title, subtitle, body) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ${FONT} font-size="13" fill="${INK}">`,
    `<title>${quoted(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(16, 26, title, 'font-size="16" font-weight="600"'),
    text(16, 46, subtitle, `fill="${GREY}"`),
    ...body,
    "</svg>\n",
  ].join("\n");
}

const seriesOf = (points) => [...new Set(points.flatMap(({ ns }) => Object.keys(ns)))];

function shortCount(value) {
  const unit = [
    [2 ** 20, "Mi"],
    [2 ** 10, "Ki"],
  ].find(([size]) => value >= size && value % size === 0);
  return unit === undefined ? value.toLocaleString("en-US") : `${value / unit[0]} ${unit[1]}`;
}

const UNITS = [
  [1e6, "ms"],
  [1e3, "µs"],
  [1, "ns"],
];

function shortNs(value, show = figure) {
  const [size, unit] = UNITS.find(([least]) => value >= least) ?? UNITS.at(-1);
  return `${show(value / size)} ${unit}`;
}

// Lines apart by this much can be read.
const LINE_HEIGHT = 17;

/** Moves the labels apart, and back up if they have left the frame. */
function spreadOut(labels, bottom) {
  const sorted = [...labels].sort((a, b) => a.y - b.y);
  for (let i = 1; i < sorted.length; i++) sorted[i].y = Math.max(sorted[i].y, sorted[i - 1].y + LINE_HEIGHT);
  const over = (sorted.at(-1)?.y ?? 0) - bottom;
  if (over > 0) for (const label of sorted) label.y -= over;
  return sorted;
}

function decades(values) {
  const exponents = values.map(Math.log10);
  return [Math.floor(Math.min(...exponents)), Math.ceil(Math.max(...exponents))];
}

function lines({ label, what, unit, points }) {
  const [width, height] = [820, 440];
  const frame = { left: 64, right: 560, top: 64, bottom: 392 };
  const values = points.flatMap(({ ns }) => Object.values(ns));
  const [low, high] = decades(values);
  const ats = points.map(({ at }) => Math.log2(at));
  const [first, last] = [ats[0], ats.at(-1)];
  const xOf = (at) => frame.left + ((Math.log2(at) - first) / (last - first)) * (frame.right - frame.left);
  const yOf = (ns) => frame.bottom - ((Math.log10(ns) - low) / (high - low)) * (frame.bottom - frame.top);
  const grid = [];
  for (let exponent = low; exponent <= high; exponent++) {
    const y = yOf(10 ** exponent);
    grid.push(line(frame.left, y, frame.right, y, FAINT));
    grid.push(
      text(frame.left - 8, y + 4, shortNs(10 ** exponent, String), `text-anchor="end" fill="${GREY}"`),
    );
  }
  // From the end, which is always named.
  let free = Number.POSITIVE_INFINITY;
  for (const { at } of points.toReversed()) {
    const x = xOf(at);
    grid.push(line(x, frame.bottom, x, frame.bottom + 5, GREY));
    if (x > free) continue;
    free = x - 48;
    grid.push(text(x, frame.bottom + 20, shortCount(at), `text-anchor="middle" fill="${GREY}"`));
  }
  grid.push(
    text((frame.left + frame.right) / 2, frame.bottom + 40, label, `text-anchor="middle" fill="${GREY}"`),
  );
  const labels = [];
  const drawn = seriesOf(points).flatMap((series, index) => {
    const colour = COLOURS[index % COLOURS.length];
    const own = points.filter(({ ns }) => ns[series] !== undefined);
    const places = own.map(({ at, ns }) => [xOf(at), yOf(ns[series])]);
    const end = own.at(-1);
    labels.push({
      y: places.at(-1)[1],
      from: places.at(-1),
      colour,
      words: `${series}: ${shortNs(end.ns[series])}`,
    });
    return [
      `<polyline points="${places.map((place) => place.map((each) => each.toFixed(1)).join(",")).join(" ")}" fill="none" stroke="${colour}" stroke-width="2.2"/>`,
      ...places.map(([x, y]) => `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3" fill="${colour}"/>`),
    ];
  });
  const named = spreadOut(labels, frame.bottom).flatMap(({ y, from, colour, words }) => [
    line(from[0] + 5, from[1], frame.right + 18, y, colour, 0.8),
    text(frame.right + 22, y + 4, words, `fill="${colour}"`),
  ]);
  return sheet(width, height, `Cost against ${label}`, `${what}; ${unit}`, [...grid, ...drawn, ...named]);
}

function bars({ label, what, unit, points }) {
  const series = seriesOf(points);
  const [left, top, row, gap] = [176, 96, 21, 14];
  const panel = 132;
  const width = left + series.length * (panel + gap) + 8;
  const height = top + points.length * row + 16;
  const names = points.map(({ at }, index) =>
    text(left - 12, top + index * row + 14, at, 'text-anchor="end"'),
  );
  const panels = series.flatMap((each, column) => {
    const x = left + column * (panel + gap);
    const most = Math.max(...points.map(({ ns }) => ns[each]));
    const room = panel - 44;
    return [
      text(x, top - 12, each, 'font-weight="600"'),
      line(x, top - 4, x, top + points.length * row, GREY),
      ...points.flatMap(({ ns }, index) => {
        const long = (ns[each] / most) * room;
        const y = top + index * row;
        const colour = index === 0 ? COLOURS[5] : COLOURS[column % COLOURS.length];
        return [
          `<rect x="${x}" y="${y + 3}" width="${long.toFixed(1)}" height="14" fill="${colour}"/>`,
          text(x + long + 5, y + 14, figure(ns[each]), `font-size="12" fill="${GREY}"`),
        ];
      }),
    ];
  });
  return sheet(width, height, `Cost of ${label}`, `${what}; ${unit}`, [...names, ...panels]);
}

/** SVG. */
export function pictureOf(curve) {
  return curve.scale === "bars" ? bars(curve) : lines(curve);
}
