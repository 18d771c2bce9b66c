/**
 * The trace that a command is given: a path, or `-` for stdin.
 *
 * A command that must look at a trace before it replays it cannot do so with
 * a stream, so stdin or a pipe is then kept in a temporary file first. Other
 * commands read it as it comes, in constant memory and without a file.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Trace, TraceVendor } from "../index.js";
import type { Context } from "./command.js";
import { UsageError } from "./exit-codes.js";

export interface InputOptions {
  /** Whether the command reads the trace more than once. */
  readonly twice: boolean;
  /** Whether the result carries the trace's SHA-256. */
  readonly hash: boolean;
  readonly vendor: TraceVendor;
}

type Use<T> = (trace: Trace, name: string) => Promise<T>;

/** Opens the trace, hands it to `use` with its name, and removes what was kept of it. */
export async function withTrace<T>(
  context: Context,
  source: string,
  options: InputOptions,
  use: Use<T>,
): Promise<T> {
  if (source === "-" && process.stdin.isTTY) {
    throw new UsageError("stdin is a terminal; pipe a trace into it or name a file");
  }
  const name = source === "-" ? "stdin" : source;
  const open = (from: string) => opened(context, from, options);
  if (!options.twice || !(await isStream(source))) return use(await open(source), name);
  return withCopy(context, source, async (path) => {
    try {
      return await use(await open(path), name);
    } catch (error) {
      // Nobody knows the copy by its name.
      if (error instanceof Error) error.message = error.message.replaceAll(path, name);
      throw error;
    }
  });
}

/** The same of a file that no trace format has to know: hands on its path, and its name. */
export async function withFile<T>(
  context: Context,
  source: string,
  use: (path: string, name: string) => Promise<T>,
): Promise<T> {
  if (source === "-" && process.stdin.isTTY) {
    throw new UsageError("stdin is a terminal; pipe a trace into it or name a file");
  }
  const name = source === "-" ? "stdin" : source;
  if (!(await isStream(source))) return use(source, name);
  return withCopy(context, source, (path) => use(path, name));
}

async function withCopy<T>(
  { signal }: Context,
  source: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "gpalias-"));
  try {
    const path = join(folder, "trace");
    const stream: Readable = source === "-" ? process.stdin : createReadStream(source);
    await pipeline(stream, createWriteStream(path), { signal });
    return await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Stdin, a pipe or a device, but nothing that cannot be opened at all. */
async function isStream(source: string): Promise<boolean> {
  if (source === "-") return true;
  const file = await stat(source).catch(() => undefined);
  return file !== undefined && !file.isFile() && !file.isDirectory();
}

/** The first bytes of a pipe may be long in coming, so a signal ends the wait. */
async function opened(
  { library, signal }: Context,
  source: string,
  { hash, vendor }: InputOptions,
): Promise<Trace> {
  const { openTrace } = await library();
  return unlessAborted(openTrace(source, { hash, vendor }), signal);
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
