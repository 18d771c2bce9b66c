// The long run at the size that the engine is made for: 1 TiB of guest memory,
// 200 million pages mapped, pages all over 52 bits, 4,096 vCPUs, 10^9 events
// made on the fly.
//
//   node bench/scale.mjs [--divide 1024] [--events 100000000] [--json]
//
// Every outcome is held to what it had to be, and the books to sums known
// before. --divide makes guests and events that many times smaller; --events
// sets how many there are, but filling and turning takes some. At the full size
// it takes some minutes and 3.5 GiB; Ctrl-C ends it between two batches.
import { parseArgs } from "node:util";
import { main, Stop, say } from "../scripts/process.mjs";

const INTERRUPTED = 130;
// Between two lines, within a phase and among several.
const LONG_MS = 5000;
const SHORT_MS = 500;

function powerOfTwo(text) {
  const value = Number(text);
  if (Number.isInteger(Math.log2(value)) && value >= 1 && value <= 1024) return value;
  throw new Stop(`scale: --divide takes a power of two from 1 to 1024, got ${text}`, 2);
}

function count(text) {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Stop(`scale: --events takes a positive whole number, got ${text}`, 2);
}

// A line when a phase is over, but none at every turn of a short one.
function progressTo(write) {
  let last = 0;
  const line = ({ guest, name }, { events, phases }, done) => {
    last = performance.now();
    const resident = phases.at(-1)?.residentMib ?? 0;
    write(
      `${((events + done) / 1e6).toFixed(1).padStart(7)} M  ${guest}: ${name}, ${resident.toFixed(0)} MiB`,
    );
  };
  const isDue = (ms) => performance.now() - last > ms;
  return {
    onBatch: (phase, progress) => isDue(LONG_MS) && line(phase, progress, phase.done),
    onPhase: (phase, progress) => isDue(SHORT_MS) && line(phase, progress, 0),
  };
}

async function measure(shape) {
  const { runScale } = await import("./scale/run.mjs");
  const { Interrupted, Wrong } = await import("./scale/feed.mjs");
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  try {
    return await runScale(shape, { ...progressTo((text) => say(`scale: ${text}`)), signal: stop.signal });
  } catch (error) {
    if (error instanceof Interrupted) throw new Stop(`scale: ${error.message}`, INTERRUPTED);
    if (error instanceof Wrong) throw new Stop(`scale: WRONG: ${error.message}`);
    throw error;
  }
}

await main(async () => {
  const { values } = parseArgs({
    options: {
      divide: { type: "string", default: "1" },
      events: { type: "string" },
      json: { type: "boolean" },
    },
  });
  const { shapeOf } = await import("./scale/shape.mjs");
  const divisor = powerOfTwo(values.divide);
  const shape = shapeOf(divisor, values.events && count(values.events));
  const result = { schemaVersion: 1, shape, ...(await measure(shape)) };
  const { machine, machineLine } = await import("./machine.mjs");
  const whole = { ...result, machine: machine() };
  if (values.json) return void process.stdout.write(`${JSON.stringify(whole, null, 2)}\n`);
  const { scaleText } = await import("./scale/text.mjs");
  process.stdout.write(`${machineLine(whole.machine)}\n\n${scaleText(whole)}`);
});
