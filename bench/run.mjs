// Trials that need the captures under examples/, each in a process of its own.
// Those that come with the package: `gpalias bench`.
//
//   node bench/run.mjs [WORD...] [--list] [--json] [--rounds 3] [--seconds 2]
//
// A trial runs if its name contains every word; without words all of them do.
// They go in rounds, so that a slow minute of the machine hits every trial and
// not one.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { has, main, root, run, Stop, say } from "../scripts/process.mjs";
import { allTrials } from "./trials.mjs";

function picked(trials, words) {
  const chosen = trials.filter(({ name }) => words.every((word) => name.includes(word)));
  const peers = new Set(chosen.map(({ beside }) => beside));
  return trials.filter((trial) => chosen.includes(trial) || peers.has(trial.name));
}

// One core: what V8 and the library do on other threads counts as well.
const pinned = has("taskset") ? ["taskset", "-c", "0"] : [];

function runTrial(name, seconds) {
  const script = join(root, "bench/trial.mjs");
  const [command, ...args] = [...pinned, process.execPath, script, name, "--seconds", seconds];
  const done = spawnSync(command, args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", 2] });
  if (done.status !== 0) throw new Stop(`bench: trial ${name} failed`);
  return JSON.parse(done.stdout).nsPerEvent;
}

function measureTrials(trials, { rounds, seconds }, median) {
  const samples = new Map(trials.map(({ name }) => [name, []]));
  for (let round = 1; round <= Number(rounds); round++) {
    for (const { name } of trials) {
      say(`bench: ${name}, round ${round} of ${rounds}`);
      samples.get(name).push(runTrial(name, seconds));
    }
  }
  return trials.map(({ name, beside }) => {
    const nsPerEvent = median(samples.get(name));
    const floorNsPerEvent = beside === undefined ? null : median(samples.get(beside));
    const ratio = floorNsPerEvent === null ? null : nsPerEvent / floorNsPerEvent;
    return { name, nsPerEvent, floorNsPerEvent, ratio };
  });
}

async function list() {
  const trials = (await allTrials()).map(({ name, what }) => `${name.padEnd(38)}${what}\n`);
  process.stdout.write(trials.join(""));
}

async function measureAll(words, values) {
  const { median } = await import("./stats.mjs");
  const trials = picked(await allTrials(), words);
  if (trials.length === 0) throw new Stop(`bench: no trial has ${words.join(" and ")}`, 2);
  return measureTrials(trials, values, median);
}

await main(async () => {
  const { values, positionals: words } = parseArgs({
    allowPositionals: true,
    options: {
      list: { type: "boolean" },
      json: { type: "boolean" },
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "2" },
    },
  });
  // A list is only read, so it does with whatever build there is.
  const isReady = values.list && existsSync(join(root, "dist/index.js"));
  const failed = isReady ? 0 : run(process.execPath, [join(root, "scripts/setup.mjs")]);
  if (failed !== 0) return failed;
  if (values.list) return list();
  const trials = await measureAll(words, values);
  const { machine, machineLine } = await import("./machine.mjs");
  const result = { schemaVersion: 1, machine: machine(), trials };
  if (values.json) return void process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  const { trialTable } = await import("./table.mjs");
  process.stdout.write(`${machineLine(result.machine)}\n\n${trialTable(trials)}`);
});
