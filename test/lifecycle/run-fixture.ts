/**
 * Runs a program of `fixtures/` in a process of its own, because what these
 * tests ask of the addon is what could end a process.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

export interface Options {
  readonly args?: readonly string[];
  readonly node?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Ends with the signal SIGKILL if the program takes longer than 40 s. */
export function runFixture(name: string, { args = [], node = [], env = {} }: Options = {}): Promise<Ended> {
  const file = fileURLToPath(new URL(`fixtures/${name}.mjs`, import.meta.url));
  const started = performance.now();
  const child = spawn(process.execPath, [...node, file, ...args], {
    env: { ...process.env, NODE_OPTIONS: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 40_000,
    killSignal: "SIGKILL",
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve({ code, signal, ...output, seconds: (performance.now() - started) / 1000 });
    });
  });
}

/**
 * What the program reported, once it is sure that it ended well: exit code 0
 * and nothing on stderr.
 */
export async function reportOf<T>(name: string, options: Options = {}): Promise<T> {
  const { code, signal, stdout, stderr } = await runFixture(name, options);
  if (code !== 0 || stderr !== "") {
    throw new Error(`${name} ended with code ${code}, signal ${signal}, stderr: ${stderr}`);
  }
  return JSON.parse(stdout) as T;
}

/** A refusal as a fixture reports it. */
export interface Refusal {
  readonly type: string;
  readonly code: string;
  readonly errno: string;
  readonly values: Readonly<Record<string, number>>;
  readonly message: string;
  readonly stack: string;
}
