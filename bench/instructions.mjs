// What the engine does for an event, counted: instructions by valgrind, and how
// often memory is asked for. Both are the same from run to run, so a change of
// a few percent is a change of the code and not of the machine.
//
//   node bench/instructions.mjs [--json] [--save] [--check PERCENT]
//
// `--save` writes bench/baselines/instructions.json; `--check 5` fails if a
// workload takes more than 5 % above it. Another compiler makes other code, so
// a baseline of another compiler is not compared. What holds for every compiler
// is checked under every one: what one workload may cost beside another, and
// which ask for no memory.
//
// Where the engine chooses a vector path when it runs, each is counted, but for
// AVX-512, which valgrind cannot run: bench/vector-paths.mjs times that one.
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildNative } from "../scripts/native.mjs";
import { capture, has, main, root, Stop, say } from "../scripts/process.mjs";
import { compareVectorPaths } from "./vector-paths.mjs";

const BASELINE = join(root, "bench/baselines/instructions.json");
/** Repetitions of the two runs whose difference counts. */
const [FEW, MANY] = [1, 3];
/** At most so many times another workload: what a TLB may cost. */
export const LIMITS = {
  "storm-tlb": { beside: "storm", times: 3 },
  "storm-zen4": { beside: "storm", times: 3 },
  "storm-skylake": { beside: "storm", times: 3 },
};
/** They find all they need in memory that is there. */
export const ASK_FOR_NOTHING = ["hit", "walk", "alias-hit", "first-touch", "zap-all"];
const VARIABLES = { replay: "GPALIAS_REPLAY_PATH", trace: "GPALIAS_TRACE_PATH" };
const PATHS = ["avx2", "portable"];

/** One row for each workload, and for each path of those that have several. */
export function rowsOf(list) {
  return list.split("\n").flatMap((line) => {
    const [workload, events, heeds] = line.split(" ");
    const variable = VARIABLES[heeds];
    if (variable === undefined) return [{ name: workload, workload, events: Number(events), env: {} }];
    return PATHS.map((path) => ({
      ...{ name: `${workload}/${path}`, workload, events: Number(events) },
      env: { [variable]: path },
    }));
  });
}

function ended(command, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env } });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text) => {
      stdout += text;
    });
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve({ stdout, stderr });
      else reject(new Stop(`${stderr}instructions: ${args.join(" ")} failed`));
    });
  });
}

/** Instructions, and times that memory was asked for, of a whole run. */
async function counted(binary, { workload, env }, repetitions) {
  const options = ["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"];
  const { stdout, stderr } = await ended("valgrind", [...options, binary, workload, `${repetitions}`], env);
  const total = /I\s+refs:\s+([\d,]+)/.exec(stderr)?.[1];
  if (total === undefined) throw new Stop(`${stderr}instructions: valgrind counted nothing`);
  return { instructions: Number(total.replaceAll(",", "")), allocations: Number(stdout) };
}

async function perEvent(binary, row) {
  const few = await counted(binary, row, FEW);
  const many = await counted(binary, row, MANY);
  const each = (what) => (many[what] - few[what]) / ((MANY - FEW) * row.events);
  return { instructions: Math.round(100 * each("instructions")) / 100, allocations: each("allocations") };
}

/** `{instructions, allocations}` of one event, by workload and path. */
export async function countAll() {
  if (!has("valgrind")) throw new Stop("instructions: valgrind is not installed (Debian: valgrind)", 4);
  const binary = buildNative("native-instructions");
  const rows = rowsOf(capture(binary, ["--list"]).stdout.trim());
  const found = new Map(rows.map(({ name }) => [name, undefined]));
  const left = [...rows];
  const work = async () => {
    for (let row = left.shift(); row !== undefined; row = left.shift()) {
      found.set(row.name, await perEvent(binary, row));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return Object.fromEntries(found);
}

const column = (counts, what) =>
  Object.fromEntries(Object.entries(counts).map(([name, each]) => [name, each[what]]));

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

/** Sentences about workloads that ask for memory, and must not, or ask more often than they did. */
export function tooHungry(now, baseline = {}, silent = ASK_FOR_NOTHING) {
  return Object.entries(now)
    .filter(([name, count]) => {
      const most = silent.includes(name.split("/")[0]) ? 0 : (baseline[name] ?? Number.POSITIVE_INFINITY);
      return count > most;
    })
    .map(([name, count]) => `${name}: memory is asked for ${count} times an event`);
}

function compiler() {
  const { stdout } = capture("c++", ["--version"]);
  return stdout.split("\n")[0] ?? "unknown";
}

async function check(result, percent) {
  const { instructionsPerEvent: instructions, allocationsPerEvent: allocations } = result;
  const baseline = JSON.parse(readFileSync(BASELINE, "utf8"));
  const isSame = baseline.compiler === result.compiler;
  if (!isSame) say(`instructions: SKIPPED the comparison, the baseline is of ${baseline.compiler}`);
  const wrong = [
    ...tooDear(instructions),
    ...tooHungry(allocations, isSame ? baseline.allocationsPerEvent : {}),
    ...(isSame ? regressions(instructions, baseline.instructionsPerEvent, percent) : []),
    ...(await compareVectorPaths()),
  ];
  for (const sentence of wrong) say(`instructions: ${sentence}`);
  if (wrong.length > 0) return 1;
  return isSame ? 0 : 4;
}

function textOf({ instructionsPerEvent, allocationsPerEvent }) {
  const lines = Object.entries(instructionsPerEvent).map(([name, count]) => {
    const asked = allocationsPerEvent[name];
    const hunger = asked === 0 ? "" : `  memory asked for ${asked.toPrecision(2)} times`;
    return `${name.padEnd(24)}${count.toFixed(1).padStart(8)} instructions/event${hunger}\n`;
  });
  return lines.join("");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const { values } = parseArgs({
      options: { json: { type: "boolean" }, save: { type: "boolean" }, check: { type: "string" } },
    });
    const counts = await countAll();
    const result = {
      ...{ schemaVersion: 2, compiler: compiler() },
      instructionsPerEvent: column(counts, "instructions"),
      allocationsPerEvent: column(counts, "allocations"),
    };
    const json = `${JSON.stringify(result, null, 2)}\n`;
    process.stdout.write(values.json ? json : textOf(result));
    if (values.save) writeFileSync(BASELINE, json);
    return values.check === undefined ? 0 : check(result, Number(values.check));
  });
}
