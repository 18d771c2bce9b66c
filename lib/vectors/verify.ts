/**
 * Holds the engine to recorded answers, vector after vector.
 *
 * A vector passes if every answer of the engine equals the recorded one; of
 * one that does not, the first difference is kept.
 */
import { MmuError } from "../errors.js";
import { expectKeys } from "../expect.js";
import { loadAddon } from "../native/addon.js";
import { linesOf } from "./lines.js";
import { Players } from "./players.js";
import { vectorKinds } from "./registry.js";
import type { VectorFailure, Verification, VerifyOptions } from "./types.js";

export type * from "./types.js";

/** Failures that are kept in full. */
const MOST_FAILURES = 10;

/**
 * Runs test vectors through the engine as kernel `pvm-6.18`. Files are JSON lines, plain or gzip, of any kinds that
 * `test/vectors/README.md` describes; a vector of none of them is skipped.
 *
 * @throws TraceError naming file and line for what is no vector; Error with the system's code for a file that cannot be
 * read; MmuError `ERR_ABORTED`
 */
export async function verifyVectors(
  files: readonly string[],
  options: VerifyOptions = {},
): Promise<Verification> {
  expectKeys("verify", options, ["signal", "onProgress"]);
  const players = new Players(await vectorKinds(), loadAddon());
  const tally = new Tally(options);
  try {
    for (const file of files) {
      let line = 0;
      for await (const text of linesOf(file)) {
        line++;
        if (text !== "") tally.add(judge(players, text, file, line));
      }
    }
  } finally {
    players.close();
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

function judge(players: Players, text: string, file: string, line: number): Verdict {
  const played = players.play(text, `${file}: line ${line}`);
  if (played === undefined) return "skipped";
  const { id, difference } = played;
  return difference === undefined ? "passed" : { file, line, id, ...difference };
}
