/**
 * Where a result goes: stdout, or with `-o` a file that appears whole or not
 * at all.
 *
 * A regular file is written beside its place under another name and moved
 * there at the end, so neither a full disk nor Ctrl-C leaves half of one. A
 * device or a pipe (`-o /dev/stdout`) is written as it is.
 */
import { rmSync } from "node:fs";
import { open, rename, stat } from "node:fs/promises";
import { Writable } from "node:stream";
import type { Terminal } from "./terminal.js";

export interface Output {
  write(data: string | Uint8Array): Promise<void>;
  /** The result is complete. */
  commit(): Promise<void>;
  /** It is not; leave nothing behind. Harmless after `commit`. */
  discard(): Promise<void>;
}

/** `path` undefined or "-" is stdout. */
export async function openOutput(path: string | undefined, terminal: Terminal): Promise<Output> {
  if (path === undefined || path === "-") {
    return { write: (data) => terminal.print(data), commit: async () => {}, discard: async () => {} };
  }
  return openFile(path);
}

/** Opens, hands to `fill`, and commits or discards by how that ends. */
export async function withOutput<T>(
  path: string | undefined,
  terminal: Terminal,
  fill: (output: Output) => Promise<T>,
): Promise<T> {
  const output = await openOutput(path, terminal);
  try {
    const value = await fill(output);
    await output.commit();
    return value;
  } finally {
    await output.discard();
  }
}

async function openFile(path: string): Promise<Output> {
  const inPlace = await isSpecial(path);
  const target = inPlace ? path : `${path}.${process.pid}.part`;
  const removePart = () => rmSync(target, { force: true });
  const file = await naming(path, open(target, "w"));
  if (!inPlace) process.once("exit", removePart);
  let isOpen = true;
  let isComplete = false;

  async function close(): Promise<void> {
    if (!isOpen) return;
    isOpen = false;
    await naming(path, file.close());
  }

  return {
    // Unlike write(), appendFile() goes on after a partial write.
    write: (data) => naming(path, file.appendFile(data)),
    commit: async () => {
      await close();
      if (!inPlace) await naming(path, rename(target, path));
      isComplete = true;
      process.off("exit", removePart);
    },
    discard: async () => {
      if (isComplete) return;
      await close();
      if (!inPlace) removePart();
      process.off("exit", removePart);
    },
  };
}

/** Whether a path is a device or a pipe, beside which no other file belongs. */
export async function isSpecial(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Makes a system error name the path that the user gave. */
async function naming<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw Object.assign(error as Error, { path });
  }
}

/** One document, as `--json` prints it. */
export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** The output as a stream, for who writes one. Ending it commits nothing. */
export function writableTo(output: Output): Writable {
  return new Writable({
    write: (chunk, _encoding, done) => {
      output.write(chunk).then(() => done(), done);
    },
  });
}
