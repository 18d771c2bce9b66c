// What a second core is worth, from a trace to its result.
//
//   node bench/parallel.mjs [NAME...] [--pairs 9] [--json]
//
// Wall time says little where anything else is at work: leave the machine alone
// meanwhile. Each row has two sides in this process, by turns. "One core" is
// `threads: 1` with every thread of the process held to processor 0; "two" is
// `threads: 2` on 0 and 1. A ratio is the median of those of the pairs. What a
// side comes to is checked each time.
import { execFileSync } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { brotliDecompressSync } from "node:zlib";
import {
  applyPlan,
  compare,
  createVm,
  EventBatch,
  OutcomeBatch,
  openTrace,
  planReplay,
  readMemslots,
  replay,
} from "gpalias";
import { randomPages } from "../dist/bench/pages.js";
import { main, root, Stop, say } from "../scripts/process.mjs";
import { machine, machineLine } from "./machine.mjs";
import { median } from "./stats.mjs";

const GIB = 2 ** 30;
const RECORD = 32;
const BATCH = 65_536;
const ROUND_REPEATS = 25;
const folder = mkdtempSync(join(tmpdir(), "gpalias-parallel-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

const example = (name) => join(root, "examples", name);
const expectEqual = (what, got, wanted) => {
  if (got !== wanted) throw new Error(`${what}: ${got}, expected ${wanted}`);
};

// Every thread there is, those of the pool and of V8 too; new ones are like the one that makes them.
function holdTo(processors) {
  execFileSync("taskset", ["-a", "-c", "-p", processors, String(process.pid)], { stdio: "ignore" });
}

async function nsOf(work) {
  const started = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - started);
}

const onOne = (work) => ({ processors: "0", work });
const onTwo = (work) => ({ processors: "0,1", work });

/** A boot's text, 25 times over. */
async function textRow() {
  const path = join(folder, "boot.txt");
  const once = brotliDecompressSync(readFileSync(example("boot-q35-2c-1g.kvm_page_fault.txt.br")));
  const file = openSync(path, "w");
  for (let i = 0; i < ROUND_REPEATS; i++) writeSync(file, once);
  closeSync(file);
  const memslots = await readMemslots(example("boot-q35-2c-1g.json"));
  const events = ROUND_REPEATS * 80_360;
  const replayed = (threads) => async () => {
    const vm = createVm({ vcpus: 2 });
    for (const slot of memslots) vm.memslots.add(slot);
    const { input, outcomes } = await replay(vm, await openTrace(path, { hash: false }), { threads });
    vm.close();
    expectEqual("events", input.events, events);
    expectEqual("pages mapped", outcomes.fixed, 71_387);
  };
  return { events, before: onOne(replayed(1)), after: onTwo(replayed(2)) };
}

/** Records of reads and writes at random among pages that are mapped. */
function hitsFile(path, gpas, count) {
  const READ_AND_WRITE = [0x4, 0x2];
  const file = openSync(path, "w");
  for (let done = 0; done < count; ) {
    const rows = Math.min(count - done, BATCH);
    const bytes = new DataView(new ArrayBuffer(rows * RECORD));
    for (let i = 0; i < rows; i++, done++) {
      bytes.setBigUint64(i * RECORD, BigInt(done), true);
      bytes.setBigUint64(i * RECORD + 8, BigInt(gpas[done % gpas.length]), true);
      bytes.setUint32(i * RECORD + 24, READ_AND_WRITE[done & 1], true);
      bytes.setUint16(i * RECORD + 28, done & 1, true);
    }
    writeSync(file, new Uint8Array(bytes.buffer));
  }
  // Else the kernel writes it back while the clock runs.
  fsyncSync(file);
  closeSync(file);
}

function touch(vm, gpas) {
  const events = new EventBatch(BATCH);
  const outcomes = new OutcomeBatch(BATCH);
  for (let at = 0; at < gpas.length; ) {
    events.reset();
    for (; at < gpas.length && !events.isFull; at++) events.pushAccess(gpas[at], "write");
    vm.runSync(events, outcomes);
  }
}

/** 16 Mi records of hits, on a VM whose pages are there. A result counts the leaves, so that a short trace would measure that. */
const hitsRow = (pages, gib) => async () => {
  const path = join(folder, `hits-${gib}`);
  const gpas = randomPages({ pages, gib });
  const events = 2 ** 24;
  hitsFile(path, gpas, events);
  const vm = createVm({ vcpus: 2, arenaBytes: 2 ** 31 });
  vm.memslots.add({ gpa: 0, bytes: gib * GIB });
  touch(vm, gpas);
  const replayed = (threads) => async () => {
    const { outcomes } = await replay(vm, await openTrace(path, { hash: false }), { threads });
    expectEqual("hits", outcomes.hit, events);
  };
  return { events, before: onOne(replayed(1)), after: onTwo(replayed(2)) };
};

/** Every pair of a capture: each by itself on one core, all together on two. */
const compareRow = (capture, preset, project) => async () => {
  const path = join(folder, `${capture}.faults.bin`);
  writeFileSync(path, brotliDecompressSync(readFileSync(example(`${capture}.faults.bin.br`))));
  copyFileSync(example(`${capture}.json`), join(folder, `${capture}.json`));
  const plain = () => openTrace(path, { hash: false });
  // Said, so that no side has to look at the trace first.
  const given = { dirtyLog: (await planReplay(await plain())).dirtyLog ? "on" : "off", project };
  const config = { alias: { preset }, vcpus: 2 };
  const { runs } = await compare(await plain(), { ...given, config });
  const pairs = runs.filter((run) => "stats" in run);
  const single = async ({ run, stats }) => {
    const [strategy, mmu] = run.split("/");
    const asked = { ...config, mmu, alias: { preset, strategy } };
    const plan = await planReplay(await plain(), {
      ...given,
      config: asked,
      ...(strategy === "none" && { project: "as-recorded" }),
    });
    const vm = createVm(plan.config);
    applyPlan(vm, plan);
    const result = await replay(vm, await plain(), { project: plan.project, threads: 1 });
    vm.close();
    expectEqual(`faults of ${run}`, result.stats.pf_taken, stats.pf_taken);
  };
  const alone = async () => {
    for (const pair of pairs) await single(pair);
  };
  const together = async () => {
    const compared = await compare(await plain(), { ...given, config, threads: 2 });
    expectEqual("runs", JSON.stringify(compared.runs.map(statsOf)), JSON.stringify(runs.map(statsOf)));
  };
  return { events: runs[0].input.events * pairs.length, before: onOne(alone), after: onTwo(together) };
};

const statsOf = ({ stats }) => stats;

// `target` is of the ratio: at least, or for "compare" the time at most.
const ROWS = [
  { name: "text", what: "text to results, 25 boots", make: textRow },
  { name: "hits-1", what: "hits over 1 GiB, 256 Ki pages", target: 1.4, make: hitsRow(2 ** 18, 1) },
  { name: "hits-16", what: "hits over 16 GiB, 4 Mi pages", target: 1.4, make: hitsRow(2 ** 22, 16) },
  { name: "hits-256", what: "hits over 256 GiB, 4 Mi pages", target: 1.4, make: hitsRow(2 ** 22, 256) },
  {
    name: "compare-storm",
    what: "every pair on the head of a storm, against each alone",
    target: 1 / 0.62,
    make: compareRow("storm-head-q35-2c-1g", "bits:47", "churn:3,1"),
  },
  {
    name: "compare-bounce",
    what: "every pair on a guest with a bounce buffer, against each alone",
    target: 1 / 0.62,
    make: compareRow("fs-bounce-pc-2c-4g", "tdx47", "bounce"),
  },
];

async function measure({ name, what, target, make }, count) {
  say(`parallel: ${name}`);
  const { events, before, after } = await make();
  const timed = async ({ processors, work }) => {
    holdTo(processors);
    return (await nsOf(work)) / events;
  };
  const pairs = [];
  // One to warm up.
  for (let i = 0; i <= count; i++) {
    const sides = i % 2 === 0 ? [before, after] : [after, before];
    const [first, second] = [await timed(sides[0]), await timed(sides[1])];
    pairs.push(i % 2 === 0 ? { one: first, two: second } : { one: second, two: first });
  }
  holdTo("0,1");
  pairs.shift();
  const of = (side) => median(pairs.map((pair) => pair[side]));
  const ratio = median(pairs.map(({ one, two }) => one / two));
  return { name, what, oneNs: of("one"), twoNs: of("two"), ratio, timeRatio: 1 / ratio, target };
}

const text = ({ name, what, oneNs, twoNs, ratio, timeRatio, target }) =>
  `${name.padEnd(16)}one core ${oneNs.toFixed(1).padStart(6)} ns (${(1e3 / oneNs).toFixed(1)} M/s), ` +
  `two ${twoNs.toFixed(1).padStart(6)} ns (${(1e3 / twoNs).toFixed(1)} M/s), ` +
  `${ratio.toFixed(2)} times as fast, ${timeRatio.toFixed(2)} of the time` +
  `${target === undefined ? "" : ` (target ${target.toFixed(2)})`}  ${what}\n`;

await main(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { pairs: { type: "string", default: "9" }, json: { type: "boolean" } },
  });
  const unknown = positionals.find((word) => !ROWS.some(({ name }) => name === word));
  if (unknown !== undefined)
    throw new Stop(`parallel: no row "${unknown}": ${ROWS.map(({ name }) => name).join(", ")}`, 2);
  const chosen = ROWS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const rows = [];
  for (const row of chosen) rows.push(await measure(row, Number(values.pairs)));
  const result = { schemaVersion: 1, machine: machine(), rows };
  if (values.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else process.stdout.write(`${machineLine(result.machine)}\n\n${rows.map(text).join("")}`);
});
