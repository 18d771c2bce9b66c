// The table formats of docs/decisions/0002-node-format.md as ratios: each, and
// under it the plain one, in one process, repetitions interleaved, medians
// divided. It takes minutes.
//
//   node bench/formats.mjs [WORD...] [--json] [--repetitions 9] [--from FILE]
//
// A row is run if its name contains every word. `--from` reads a report that
// google-benchmark wrote earlier.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildNative } from "../scripts/native.mjs";
import { capture, main, Stop } from "../scripts/process.mjs";
import { filterFor, ROWS, trialsOf } from "./format-rows.mjs";
import { machine, machineLine } from "./machine.mjs";
import { trialTable } from "./table.mjs";

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
    if (report === "") throw new Stop(`${done.stdout}${done.stderr}formats: native-bench failed`);
    return JSON.parse(report);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main(() => {
  const { values, positionals: words } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean" },
      repetitions: { type: "string", default: "9" },
      from: { type: "string" },
    },
  });
  const rows = ROWS.filter(({ name }) => words.every((word) => name.includes(word)));
  if (rows.length === 0) throw new Stop(`formats: no row has ${words.join(" and ")} in its name`, 2);
  const { from, repetitions } = values;
  const report = from === undefined ? runBenches(rows, repetitions) : JSON.parse(readFileSync(from, "utf8"));
  const result = { schemaVersion: 1, machine: machine(), trials: trialsOf(rows, report) };
  if (values.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else process.stdout.write(`${machineLine(result.machine)}\n\n${trialTable(result.trials)}`);
});
