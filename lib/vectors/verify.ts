/**
 * Holds the engine to recorded answers, vector after vector.
 *
 * A vector passes if every answer of the engine equals the recorded one; of
 * one that does not, the first difference is kept.
 */
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { MmuError, TraceError } from "../errors.js";
import { expectKeys } from "../expect.js";
import { loadAddon } from "../native/addon.js";
import { hasGzipMagic, inflated } from "../trace/compression.js";
import type { VectorAnswer, VectorFailure, Verification, VerifyOptions } from "./types.js";
import { parseVector, type Vector } from "./vector.js";
import { VectorVm } from "./vector-vm.js";

export type * from "./types.js";

/** Characters; the longest vector that was recorded has a thousandth of it. */
const LONGEST_LINE = 2 ** 24;
/** Failures that are kept in full. */
const MOST_FAILURES = 10;

/**
 * Runs test vectors of memslots and dirty logs through the engine as kernel `pvm-6.18`. Files are JSON lines, plain or
 * gzip; a vector of another kind is skipped.
 *
 * @throws TraceError naming file and line for what is no vector; Error with the system's code for a file that cannot be
 * read; MmuError `ERR_ABORTED`
 */
export async function verifyVectors(
  files: readonly string[],
  options: VerifyOptions = {},
): Promise<Verification> {
  expectKeys("verify", options, ["signal", "onProgress"]);
  const vm = new VectorVm(loadAddon());
  const tally = new Tally(options);
  try {
    for (const file of files) {
      let line = 0;
      for await (const text of linesOf(file)) {
        line++;
        if (text !== "") tally.add(judge(vm, text, file, line));
      }
    }
  } finally {
    vm.close();
  }
  return tally.result();
}

type Verdict = "passed" | "skipped" | VectorFailure;

class Tally {
  readonly #options: VerifyOptions;
  readonly #failures: VectorFailure[] = [];
  #passed = 0;
  #failed = 0;
  #skipped = 0;

  constructor(options: VerifyOptions) {
    this.#options = options;
  }

  add(verdict: Verdict): void {
    if (verdict === "passed") this.#passed++;
    else if (verdict === "skipped") this.#skipped++;
    else if (++this.#failed <= MOST_FAILURES) this.#failures.push(verdict);
    this.#options.onProgress?.(this.#cases());
    if (this.#options.signal?.aborted) {
      throw new MmuError("ERR_ABORTED", `aborted after ${this.#cases()} vectors`, {
        values: { applied: this.#cases() },
      });
    }
  }

  result(): Verification {
    return {
      schemaVersion: 1,
      cases: this.#cases(),
      passed: this.#passed,
      failed: this.#failed,
      skipped: this.#skipped,
      firstFailures: this.#failures,
    };
  }

  #cases(): number {
    return this.#passed + this.#failed + this.#skipped;
  }
}

function judge(vm: VectorVm, text: string, file: string, line: number): Verdict {
  const vector = parseVector(text, `${file}: line ${line}`);
  if (vector === undefined) return "skipped";
  const difference = firstDifference(vm, vector);
  return difference === undefined ? "passed" : { file, line, id: vector.id, ...difference };
}

function firstDifference(vm: VectorVm, { ops, answers }: Vector) {
  for (const [step, op] of ops.entries()) {
    const expected = answers[step] as VectorAnswer;
    const got = vm.perform(op);
    if (!isDeepStrictEqual(got, expected)) return { step, op, expected, got };
  }
  return undefined;
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const compression = (await isGzip(file)) ? "gzip" : "none";
  const { size } = await stat(file);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for await (const chunk of inflated(createReadStream(file), compression, file, size)) {
    rest += decoded(decoder, chunk, file);
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LONGEST_LINE) throw new TraceError(`${file}: expected lines of at most 16 MiB`);
    yield* lines;
  }
  if (rest !== "") yield rest;
}

function decoded(decoder: InstanceType<typeof TextDecoder>, chunk: Uint8Array, file: string): string {
  try {
    return decoder.decode(chunk, { stream: true });
  } catch {
    throw new TraceError(`${file}: expected lines of JSON in UTF-8`);
  }
}

async function isGzip(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(new Uint8Array(2), 0, 2, 0);
    return hasGzipMagic(buffer);
  } finally {
    await handle.close();
  }
}
