// The native benches as ratios: the engine, and under it the least that any
// table could do, in one process, repetitions interleaved, medians divided.
//
//   node bench/ratios.mjs [WORD...] [--json] [--repetitions 9] [--from FILE]
//
// A row is run if its name contains every word. Without words: all but the
// table formats, which take minutes (`node bench/ratios.mjs format`).
// `--from` reads a report that google-benchmark wrote earlier.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildNative } from "../scripts/native.mjs";
import { capture, main, Stop } from "../scripts/process.mjs";
import { machine, machineLine } from "./machine.mjs";
import { filterFor, memoryOf, ROWS, trialsOf } from "./native-rows.mjs";
import { trialTable } from "./table.mjs";

export function pickRows(words) {
  const isPicked = ({ name }) =>
    words.length === 0 ? !name.startsWith("format-") : words.every((word) => name.includes(word));
  return ROWS.filter(isPicked);
}

function runBenches(rows, repetitions) {
  const folder = mkdtempSync(join(tmpdir(), "gpalias-bench-"));
  const path = join(folder, "report.json");
  const done = capture(buildNative("native-bench"), [
    `--benchmark_filter=${filterFor(rows)}`,
    "--benchmark_enable_random_interleaving=true",
    `--benchmark_repetitions=${repetitions}`,
    "--benchmark_min_time=0.2",
    "--benchmark_out_format=json",
    `--benchmark_out=${path}`,
  ]);
  try {
    const report = done.code === 0 ? readFileSync(path, "utf8") : "";
    // A filter that it cannot read ends it with success and without a report.
    if (report === "") throw new Stop(`${done.stdout}${done.stderr}bench: native-bench failed`);
    return JSON.parse(report);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the rows. Returns `{ trials, memory }`. */
export function measureRatios(rows, { repetitions = "9", from } = {}) {
  const report = from === undefined ? runBenches(rows, repetitions) : JSON.parse(readFileSync(from, "utf8"));
  return { trials: trialsOf(rows, report), memory: memoryOf(report) };
}

export function memoryLine({ tableBytes, kvmTableBytes, ratio, target }) {
  const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  return (
    `tables of 4 Mi pages over 256 GiB: ${mib(tableBytes)}, ${ratio.toFixed(3)} of KVM's ` +
    `${mib(kvmTableBytes)} (target <= ${target})\n`
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(() => {
    const { values, positionals: words } = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: "boolean" },
        repetitions: { type: "string", default: "9" },
        from: { type: "string" },
      },
    });
    const rows = pickRows(words);
    if (rows.length === 0) throw new Stop(`ratios: no row has ${words.join(" and ")} in its name`, 2);
    const { trials, memory } = measureRatios(rows, values);
    const result = { schemaVersion: 1, machine: machine(), trials, memory };
    if (values.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    else {
      const tail = memory === undefined ? "" : memoryLine(memory);
      process.stdout.write(`${machineLine(result.machine)}\n\n${trialTable(trials)}${tail}`);
    }
  });
}
