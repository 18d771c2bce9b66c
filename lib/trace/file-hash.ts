/**
 * SHA-256 of a trace as it is stored.
 *
 * A file is hashed by a thread of its own, so that the hash does not slow the
 * replay down; a stream is hashed as it passes.
 */
import { createHash } from "node:crypto";
import { Worker } from "node:worker_threads";
import { MmuError } from "../errors.js";

// As text: the library has no worker file to find at run time.
const HASH_FILE = `
const { createHash } = require("node:crypto");
const { closeSync, openSync, readSync } = require("node:fs");
const { parentPort, workerData } = require("node:worker_threads");
const hash = createHash("sha256");
const buffer = Buffer.allocUnsafe(2 ** 20);
const file = openSync(workerData, "r");
for (let bytes; (bytes = readSync(file, buffer)) > 0; ) hash.update(buffer.subarray(0, bytes));
closeSync(file);
parentPort.postMessage(hash.digest("hex"));
`;

/** A hash in the making. */
export interface FileHash {
  digest(): Promise<string>;
}

/** Starts to hash a file. Until somebody waits for it, it keeps no process alive. */
export function hashFile(path: string): FileHash {
  const worker = new Worker(HASH_FILE, { eval: true, workerData: path });
  worker.unref();
  const digest = new Promise<string>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(new MmuError("ERR_IO", `${path}: the hash thread ended early`)));
  });
  digest.catch(() => {});
  return {
    digest: () => {
      worker.ref();
      return digest;
    },
  };
}

/** The chunks of a stream, counted, and hashed if asked for. */
export interface StreamHash {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly bytes: number;
  /** Undefined until the stream has ended, and if it is not hashed. */
  digest(): string | undefined;
}

export function hashing(stream: AsyncIterable<Uint8Array>, enabled: boolean): StreamHash {
  const hash = enabled ? createHash("sha256") : undefined;
  let bytes = 0;
  let digest: string | undefined;
  async function* chunks() {
    for await (const chunk of stream) {
      bytes += chunk.length;
      hash?.update(chunk);
      yield chunk;
    }
    digest = hash?.digest("hex");
  }
  return {
    chunks: chunks(),
    get bytes() {
      return bytes;
    },
    digest: () => digest,
  };
}
