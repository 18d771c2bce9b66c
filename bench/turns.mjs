// The engine's side of a trial of `gpalias bench`, a turn for each line of
// stdin: prints nanoseconds an event.
//
//   node bench/turns.mjs TRIAL
//
// For comparisons of processes that differ in their environment; startTurns()
// is the other end.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SELF = fileURLToPath(import.meta.url);
/** A turn goes on for so long. */
const TURN_NS = 20e6;

/** Of this tree, once it is built. */
export const addon = async () => (await import("../dist/native/addon.js")).loadAddon();

/** Starts a program that answers a line with a number: `{ ask, stop }`. */
export function startAsked(command, args, env = {}) {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (line) => {
    child.stdin.write(`${line}\n`);
    const { value, done } = await answers.next();
    if (done) throw new Error(`${command} ${args.join(" ")} ended early`);
    return Number(value);
  };
  return { ask, stop: () => child.stdin.end() };
}

/** A trial in a process of its own. */
export const startTurns = (trial, env = {}) => startAsked(process.execPath, [SELF, trial], env);

if (process.argv[1] === SELF) {
  const trial = new (await addon()).Trial(process.argv[2]);
  const events = trial.events();
  for await (const _ of createInterface({ input: process.stdin })) {
    let [ns, rounds] = [0, 0];
    for (; ns < TURN_NS; rounds++) ns += trial.engine();
    process.stdout.write(`${ns / (rounds * events)}\n`);
  }
}
