// One setup at a time: two would build into the same folders.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, say } from "../process.mjs";

const lock = join(root, "out/setup.lock");
const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process refuses the question, but it is there.
    return error.code === "EPERM";
  }
}

function tryLock(tries) {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  const holder = existsSync(lock) ? Number(readFileSync(lock, "utf8")) : 0;
  // Empty: its maker is about to write its id, or died at just that moment.
  const isLeft = holder === 0 ? tries > 25 : !isAlive(holder);
  if (isLeft) rmSync(lock, { force: true });
  return false;
}

/** Waits until no other setup of this checkout runs. Held until the process ends. */
export function lockSetup() {
  mkdirSync(join(root, "out"), { recursive: true });
  for (let tries = 0; !tryLock(tries); tries += 1) {
    if (tries === 5) say("setup: waiting for another setup to end ...");
    pause(200);
  }
  process.on("exit", () => rmSync(lock, { force: true }));
}
