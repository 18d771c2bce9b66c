// A curve as a table of Markdown, a point a row.

export const figure = (value) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
const shown = (at) => (typeof at === "number" ? at.toLocaleString("en-US") : `\`${at}\``);
const HEADS = { bytesAPage: "bytes a page", ofKvm: "of KVM's" };

const row = (cells) => `| ${cells.join(" | ")} |\n`;

export function tableOf({ label, what, unit, points }) {
  const series = [...new Set(points.flatMap(({ ns }) => Object.keys(ns)))];
  const facts = Object.keys(points[0].facts);
  const heads = [label, ...series, ...facts.map((fact) => HEADS[fact])];
  const body = points.map(({ at, ns, facts: known }) => [
    shown(at),
    ...series.map((each) => (ns[each] === undefined ? "" : figure(ns[each]))),
    ...facts.map((fact) => figure(known[fact])),
  ]);
  const rule = row(heads.map((_, column) => (column === 0 ? "---" : "---:")));
  return `Cost against ${label}: ${what}; ${unit}\n\n${row(heads)}${rule}${body.map(row).join("")}`;
}
