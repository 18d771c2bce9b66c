/**
 * A dump as text: the recorder's own program prints it, and its output is
 * read as it comes.
 *
 * The program is started without a shell, ends when reading ends, and what it
 * says on stderr becomes part of the error if it fails. It must not know
 * formats.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";
import { addAbortSignal } from "node:stream";
import { MmuError, TraceError } from "../../errors.js";
import { commandLine, type DumpKind } from "./dump-kind.js";

/** As much of stderr as is kept: the last of it, where the reason is. */
const MAX_COMPLAINT = 2000;
/** For a program that does not end when it is asked to. */
const PATIENCE_MS = 2000;

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error: NodeJS.ErrnoException | undefined;
}

/**
 * Prints a dump, chunk by chunk.
 *
 * @param source what to call the trace in an error
 * @throws MmuError `ERR_UNSUPPORTED` if the program is not installed; TraceError if it fails
 */
export async function* printDump(
  kind: DumpKind,
  path: string,
  source: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const env = { ...process.env, LC_ALL: "C" };
  // Absolute, so that no file is taken for an option.
  const child = spawn(kind.program, kind.arguments(resolve(path)), {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = endOf(child);
  const complaint = lastWordsOf(child);
  if (signal !== undefined) addAbortSignal(signal, child.stdout);
  try {
    yield* child.stdout;
    const { code, signal: killer, error } = await ended;
    if (error !== undefined) throw notStarted(kind, source, error);
    if (code !== 0) throw failed(kind, source, killer ?? `status ${code}`, complaint());
  } finally {
    stop(child);
  }
}

function endOf(child: ChildProcess): Promise<Ended> {
  return new Promise((done) => {
    child.once("error", (error) => done({ code: null, signal: null, error }));
    child.once("close", (code, signal) => done({ code, signal, error: undefined }));
  });
}

/** Reads stderr to its end, so that the program never waits for us, and keeps the last of it. */
function lastWordsOf({ stderr }: ChildProcess): () => string {
  let words = "";
  stderr?.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-MAX_COMPLAINT);
  });
  return () => words.trim().split("\n").slice(-5).join("; ");
}

function stop(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill();
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  timer.unref();
  child.once("close", () => clearTimeout(timer));
}

function notStarted(kind: DumpKind, source: string, cause: NodeJS.ErrnoException): MmuError {
  const { name, program, install } = kind;
  const isMissing = cause.code === "ENOENT";
  const why = isMissing ? `${program} is not installed here` : `${program} cannot be run (${cause.code})`;
  const elsewhere = `${commandLine(kind, name)} | gzip > trace.txt.gz`;
  const message =
    `${source} is a ${name}, which only ${program} can read, and ${why}: install the package ${install}, ` +
    `or run "${elsewhere}" where it was recorded and take trace.txt.gz`;
  return new MmuError("ERR_UNSUPPORTED", message, { cause });
}

function failed(
  { name, program, format }: DumpKind,
  source: string,
  how: string,
  complaint: string,
): TraceError {
  const said = complaint === "" ? "it said nothing" : `it said: ${complaint}`;
  return new TraceError(
    `${source}: ${program} could not print this ${name}, and ended with ${how}; ${said}`,
    { format },
  );
}
