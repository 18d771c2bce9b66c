/**
 * A file whose bytes are read by ranges: the trace itself, or a temporary copy
 * of one that is compressed or comes as a stream.
 */
import { createWriteStream } from "node:fs";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { RangedFile } from "./trace-format.js";

export interface OpenRangedFile extends RangedFile {
  readonly path: string;
  close(): Promise<void>;
}

export async function openRanged(path: string): Promise<OpenRangedFile> {
  const handle = await open(path);
  return ranged(path, handle, (await handle.stat()).size, async () => {});
}

/** Keeps chunks in a temporary file that is gone when it is closed. */
export async function spool(chunks: AsyncIterable<Uint8Array>): Promise<OpenRangedFile> {
  const folder = await mkdtemp(join(tmpdir(), "gpalias-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const path = join(folder, "trace");
    await pipeline(Readable.from(chunks, { objectMode: false }), createWriteStream(path, { mode: 0o600 }));
    const handle = await open(path);
    return ranged(path, handle, (await handle.stat()).size, remove);
  } catch (error) {
    await remove();
    throw error;
  }
}

function ranged(path: string, handle: FileHandle, bytes: number, after: () => Promise<void>): OpenRangedFile {
  return {
    path,
    bytes,
    read: async (offset, length) => {
      const buffer = Buffer.alloc(Math.max(0, Math.min(length, bytes - offset)));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
      return buffer.subarray(0, bytesRead);
    },
    close: async () => {
      await handle.close();
      await after();
    },
  };
}
