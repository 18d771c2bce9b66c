/** A player for each kind of vector that a run has met. It knows no kind by name. */
import { TraceError } from "../errors.js";
import type { NativeAddon } from "../native/addon-types.js";
import { recordOf } from "./lines.js";
import { Malformed } from "./malformed.js";
import type { VectorDifference, VectorKind, VectorPlayer } from "./vector-kind.js";

/** `undefined` for a vector of no kind that there is; no difference if it passed. */
export type Played = { readonly id: string; readonly difference: VectorDifference | undefined } | undefined;

export class Players {
  readonly #kinds: readonly VectorKind[];
  readonly #addon: NativeAddon;
  readonly #players = new Map<VectorKind, VectorPlayer>();

  constructor(kinds: readonly VectorKind[], addon: NativeAddon) {
    this.#kinds = kinds;
    this.#addon = addon;
  }

  /**
   * @param place where the line stands, for the sentence of a refusal
   * @throws TraceError for a line that is no vector
   */
  play(line: string, place: string): Played {
    try {
      const record = recordOf(line);
      const kind = this.#kinds.find((each) => each.claims(record));
      return kind && { id: record.id, difference: this.#playerOf(kind).play(record) };
    } catch (error) {
      if (error instanceof Malformed) throw new TraceError(`${place}: expected ${error.message}`);
      throw error;
    }
  }

  close(): void {
    for (const player of this.#players.values()) player.close();
    this.#players.clear();
  }

  #playerOf(kind: VectorKind): VectorPlayer {
    const player = this.#players.get(kind) ?? kind.open(this.#addon);
    this.#players.set(kind, player);
    return player;
  }
}
