// Cost against one thing at a time: pages, vCPUs, slots, aliases, strategies.
//
//   node bench/curves.mjs [AXIS...] [--rounds 9] [--json] [--svg FOLDER]
//
// All points of an axis are alive in one process and take turns, round after
// round; a figure is a median of processor time. Prints tables as docs have
// them; --svg also draws each axis into FOLDER/curve-AXIS.svg. `--most N` leaves
// out points above N.
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { main, Stop, say } from "../scripts/process.mjs";
import { measurePoints } from "./curves/measure.mjs";

const folder = new URL("curves/axes/", import.meta.url);

async function allAxes() {
  const files = readdirSync(folder).filter((name) => name.endsWith(".mjs"));
  const modules = await Promise.all(files.map((name) => import(new URL(name, folder).href)));
  return modules.map((each) => each.default);
}

function picked(axes, names) {
  const unknown = names.find((name) => !axes.some((axis) => axis.name === name));
  if (unknown !== undefined) {
    throw new Stop(`curves: no axis "${unknown}"; there are ${axes.map(({ name }) => name).join(", ")}`, 2);
  }
  return names.length === 0 ? axes : axes.filter(({ name }) => names.includes(name));
}

function measureAxis(axis, { rounds, most }) {
  const isWithin = (point) => typeof point !== "number" || point <= most;
  const points = axis.points.filter(isWithin).map((point) => {
    say(`curves: ${axis.name}: ${typeof point === "number" ? point : `${point.strategy}/${point.mmu}`} ...`);
    return axis.prepare(point);
  });
  const onRound = (round) => say(`curves: ${axis.name}: round ${round + 1} of ${rounds}`);
  try {
    const { name, label, what, unit, scale } = axis;
    return { name, label, what, unit, scale, points: measurePoints(points, { rounds, onRound }) };
  } finally {
    for (const point of points) point.close();
  }
}

await main(async () => {
  const { values, positionals: names } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean" },
      rounds: { type: "string", default: "9" },
      most: { type: "string", default: "Infinity" },
      svg: { type: "string" },
    },
  });
  const options = { rounds: Number(values.rounds), most: Number(values.most) };
  if (!(options.rounds >= 1) || !(options.most >= 1))
    throw new Stop("curves: --rounds and --most take a number of at least 1", 2);
  const curves = picked(await allAxes(), names).map((axis) => measureAxis(axis, options));
  const { machine, machineLine } = await import("./machine.mjs");
  if (values.svg) {
    const { pictureOf } = await import("./curves/picture.mjs");
    mkdirSync(values.svg, { recursive: true });
    for (const curve of curves) writeFileSync(join(values.svg, `curve-${curve.name}.svg`), pictureOf(curve));
  }
  const result = { schemaVersion: 1, machine: machine(), curves };
  if (values.json) return void process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  const { tableOf } = await import("./curves/table.mjs");
  process.stdout.write(`${machineLine(result.machine)}\n\n${curves.map(tableOf).join("\n")}`);
});
