/**
 * Where an exploration is put aside, so that it can be taken up again: a folder
 * with a file for each world. A file's name says which world, bound and version
 * it is of; so whoever asks for another finds nothing, and begins.
 *
 * Written beside and renamed: a file is whole, or it is the one before.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MmuError } from "../errors.js";
import type { NativeExplorer } from "../native/addon-types.js";
import { VERSION } from "../version.js";
import type { CheckBound, SmallWorld } from "./world.js";

/** Between two savings: what an interruption costs at most. */
const EVERY_MS = 5_000;

export interface Notebook {
  /** Goes on from what is there, if anything is. */
  open(explorer: NativeExplorer): void;
  /** Saves, if the last time was long ago or `now` is true. */
  note(explorer: NativeExplorer, now?: boolean): void;
}

/** Keeps nothing. */
export const NO_NOTEBOOK: Notebook = { open: () => {}, note: () => {} };

/**
 * @throws MmuError with the path: `ERR_IO` where the folder cannot be used or a file in it is damaged,
 * `ERR_OUT_OF_MEMORY` where there is too little for what it holds
 */
export function notebookIn(folder: string, world: SmallWorld, bound: CheckBound): Notebook {
  const path = join(folder, `${nameOf(world, bound)}.gpcheck`);
  let saved = Date.now();
  return {
    open: (explorer) => {
      const bytes = readIfThere(path);
      if (bytes === undefined) return;
      guarded(path, () => explorer.restore(wordsOf(bytes)));
    },
    note: (explorer, now = false) => {
      if (!now && Date.now() - saved < EVERY_MS) return;
      guarded(path, () => write(folder, path, explorer.save()));
      saved = Date.now();
    },
  };
}

const nameOf = (world: SmallWorld, bound: CheckBound): string =>
  createHash("sha256")
    .update(JSON.stringify({ version: VERSION, world, bound }))
    .digest("hex")
    .slice(0, 32);

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw refusal(path, error);
  }
}

/** A copy, as a file's bytes need not begin where a word may; what is over of a last word is cut off. */
function wordsOf(bytes: Buffer): BigUint64Array {
  const words = new BigUint64Array(Math.floor(bytes.length / BigUint64Array.BYTES_PER_ELEMENT));
  new Uint8Array(words.buffer).set(bytes.subarray(0, words.byteLength));
  return words;
}

function write(folder: string, path: string, words: BigUint64Array): void {
  const beside = `${path}.new`;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(beside, words);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

function guarded(path: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw refusal(path, error);
  }
}

// Too little memory is not a damaged file.
const refusal = (path: string, cause: unknown): MmuError =>
  new MmuError(
    isOutOfMemory(cause) ? cause.code : "ERR_IO",
    `${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause },
  );

const isOutOfMemory = (cause: unknown): cause is MmuError =>
  cause instanceof MmuError && cause.code === "ERR_OUT_OF_MEMORY";
