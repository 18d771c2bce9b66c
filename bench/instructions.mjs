// Instructions an event, counted by valgrind: the same from run to run, so a
// change of a few percent is a change of the code and not of the machine.
//
//   node bench/instructions.mjs [--json] [--save] [--check PERCENT]
//
// `--save` writes bench/baselines/instructions.json; `--check 5` fails if a
// workload takes more than 5 % above it. Another compiler makes other code, so
// a baseline of another compiler is not compared. What one workload may cost
// beside another holds for every compiler: --check fails above that too.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildNative } from "../scripts/native.mjs";
import { capture, has, main, root, Stop, say } from "../scripts/process.mjs";

const BASELINE = join(root, "bench/baselines/instructions.json");
/** Repetitions of the two runs whose difference counts. */
const [FEW, MANY] = [1, 3];
/** At most so many times another workload: what a TLB may cost. */
export const LIMITS = {
  "storm-tlb": { beside: "storm", times: 3 },
  "storm-zen4": { beside: "storm", times: 3 },
  "storm-skylake": { beside: "storm", times: 3 },
};

function instructions(binary, workload, repetitions) {
  const options = ["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"];
  const { code, stderr } = capture("valgrind", [...options, binary, workload, String(repetitions)]);
  const total = /I\s+refs:\s+([\d,]+)/.exec(stderr)?.[1];
  if (code !== 0 || total === undefined) throw new Stop(`${stderr}instructions: ${workload} failed`);
  return Number(total.replaceAll(",", ""));
}

/** Instructions of one event, by workload. */
export function countInstructions() {
  if (!has("valgrind")) throw new Stop("instructions: valgrind is not installed (Debian: valgrind)", 4);
  const binary = buildNative("native-instructions");
  const workloads = capture(binary, ["--list"]).stdout.trim().split("\n");
  const perEvent = workloads.map((line) => {
    const [name, events] = line.split(" ");
    const extra = instructions(binary, name, MANY) - instructions(binary, name, FEW);
    return [name, Math.round((100 * extra) / ((MANY - FEW) * Number(events))) / 100];
  });
  return Object.fromEntries(perEvent);
}

/** Sentences about what grew by more than `percent`; none if nothing did. */
export function regressions(now, baseline, percent) {
  return Object.entries(now)
    .filter(([name, count]) => count > (baseline[name] ?? Number.POSITIVE_INFINITY) * (1 + percent / 100))
    .map(([name, count]) => `${name}: ${count} instructions/event, ${baseline[name]} in the baseline`);
}

/** Sentences about what costs more beside another than it may; none if nothing does. */
export function tooDear(now, limits = LIMITS) {
  return Object.entries(limits)
    .map(([name, { beside, times }]) => ({ name, beside, times, ratio: now[name] / now[beside] }))
    .filter(({ ratio, times }) => !(ratio <= times))
    .map(
      ({ name, beside, times, ratio }) =>
        `${name}: ${ratio.toFixed(2)} times the instructions of ${beside}, at most ${times} are allowed`,
    );
}

function compiler() {
  const { stdout } = capture("c++", ["--version"]);
  return stdout.split("\n")[0] ?? "unknown";
}

function check(counted, percent) {
  const dear = tooDear(counted);
  for (const sentence of dear) say(`instructions: ${sentence}`);
  const baseline = checkBaseline(counted, percent);
  return dear.length === 0 ? baseline : 1;
}

function checkBaseline(counted, percent) {
  const baseline = JSON.parse(readFileSync(BASELINE, "utf8"));
  if (baseline.compiler !== compiler()) {
    say(`instructions: SKIPPED the comparison, the baseline is of ${baseline.compiler}`);
    return 4;
  }
  const grown = regressions(counted, baseline.instructionsPerEvent, percent);
  for (const sentence of grown) say(`instructions: ${sentence}`);
  return grown.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(() => {
    const { values } = parseArgs({
      options: { json: { type: "boolean" }, save: { type: "boolean" }, check: { type: "string" } },
    });
    const counted = countInstructions();
    const result = { schemaVersion: 1, compiler: compiler(), instructionsPerEvent: counted };
    const text = `${JSON.stringify(result, null, 2)}\n`;
    if (values.json) process.stdout.write(text);
    else
      for (const [name, count] of Object.entries(counted)) {
        process.stdout.write(`${name.padEnd(18)}${count.toFixed(1).padStart(8)} instructions/event\n`);
      }
    if (values.save) writeFileSync(BASELINE, text);
    return values.check === undefined ? 0 : check(counted, Number(values.check));
  });
}
