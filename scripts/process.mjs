// Running other programs from the scripts: what they say goes to stderr, so
// that stdout stays a script's own.
import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** A failure that has been explained; `main` prints it without a stack. */
export class Stop extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Runs a program; its output is shown. Returns the exit code, 127 if it could not start. */
export function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2], ...options });
  return done.error ? 127 : (done.status ?? 1);
}

/** Runs a program and keeps what it prints. */
export function capture(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28, ...options });
  const code = done.error ? 127 : (done.status ?? 1);
  return { code, stdout: done.stdout ?? "", stderr: done.stderr ?? "" };
}

export function has(command, args = ["--version"]) {
  return capture(command, args).code === 0;
}

const isUsage = (error) => String(error.code).startsWith("ERR_PARSE_ARGS");

/** Runs a script's body; a `Stop`, or a wrong option, becomes its sentence and its exit code. */
export async function main(body) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (error) {
    if (!(error instanceof Stop || isUsage(error))) throw error;
    say(error.message);
    process.exitCode = error.exitCode ?? 2;
  }
}
