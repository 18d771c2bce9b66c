/**
 * Random scripts, each asked of a kernel and of the engine, until one is
 * answered differently.
 *
 * Which script comes when follows from the seed alone. It is handed both
 * sides, and opens no device.
 */
import { MmuError } from "../errors.js";
import type { NativeAddon } from "../native/addon-types.js";
import type { NativeLiveKvm } from "../native/live-types.js";
import type { VectorKind, VectorPlayer } from "../vectors/vector-kind.js";
import type { Kernel } from "./kernel.js";
import type { LiveKind } from "./live-kind.js";
import { Random } from "./random.js";
import { compareSides, type Differing, type Sides, shrink } from "./shrink.js";
import type { KindOfScript, KvmDifference, VerifyKvmOptions } from "./types.js";

export interface Parties {
  readonly live: NativeLiveKvm;
  readonly kernel: Kernel;
  readonly addon: NativeAddon;
  readonly liveKinds: readonly LiveKind[];
  readonly vectorKinds: readonly VectorKind[];
}

export interface SideBySide {
  readonly cases: number;
  readonly unsteady: number;
  readonly kinds: readonly KindOfScript[];
  readonly difference: KvmDifference | null;
}

/** How long signals and the progress line may have to wait, in milliseconds. */
const PATIENCE_MS = 50;

export class SideBySideRun {
  readonly #parties: Parties;
  readonly #options: VerifyKvmOptions;
  readonly #players = new Map<string, VectorPlayer>();
  readonly #cases = new Map<string, number>();
  #played = 0;
  #unsteady = 0;
  #lookedUp = performance.now();

  constructor(parties: Parties, options: VerifyKvmOptions) {
    this.#parties = parties;
    this.#options = options;
  }

  /** @throws MmuError ERR_ABORTED */
  async play(seed: number, cases: number): Promise<SideBySide> {
    const { kernel, liveKinds } = this.#parties;
    const asked = liveKinds.filter((kind) => kind.whyNot(kernel) === undefined);
    let difference: KvmDifference | null = null;
    try {
      while (asked.length > 0 && this.#played < cases && difference === null) {
        await this.#pause("playing", this.#played);
        difference = await this.#case(seed, asked);
      }
      const kinds = liveKinds.map((kind) => this.#told(kind));
      return { cases: this.#played, unsteady: this.#unsteady, kinds, difference };
    } finally {
      for (const player of this.#players.values()) player.close();
      this.#players.clear();
    }
  }

  async #case(seed: number, asked: readonly LiveKind[]): Promise<KvmDifference | null> {
    const number = this.#played;
    const random = new Random(seed, number);
    const kind = random.pick(asked);
    const script = kind.generate(random, `${kind.name}-${seed}-${number}`, this.#parties.kernel);
    const sides = { kind, live: this.#parties.live, engine: this.#playerOf(kind) };
    const { differing, isSteady } = compareSides(sides, script);
    if (!isSteady) this.#unsteady++;
    this.#played++;
    this.#cases.set(kind.name, (this.#cases.get(kind.name) ?? 0) + 1);
    return differing === undefined ? null : await this.#shrunk(sides, differing, number);
  }

  async #shrunk(sides: Sides, found: Differing, number: number): Promise<KvmDifference> {
    const { vector, difference, tried } = await shrink(sides, found, (count) =>
      this.#pause("shrinking", count),
    );
    const { step, op, expected, got } = difference;
    const { kind } = sides;
    const lengths = { from: kind.lengthOf(found.vector), to: kind.lengthOf(vector) };
    const shrunk = { tried, ...lengths };
    return { kind: kind.name, case: number, vector, step, op, kernel: expected, engine: got, shrink: shrunk };
  }

  #playerOf({ name }: LiveKind): VectorPlayer {
    const known = this.#players.get(name);
    if (known !== undefined) return known;
    const kind = this.#parties.vectorKinds.find((each) => each.name === name);
    if (kind === undefined) throw new MmuError("ERR_INTERNAL", `no vectors are called ${name}`);
    const player = kind.open(this.#parties.addon);
    this.#players.set(name, player);
    return player;
  }

  #told(kind: LiveKind): KindOfScript {
    const notAsked = kind.whyNot(this.#parties.kernel);
    const cases = this.#cases.get(kind.name) ?? 0;
    return { kind: kind.name, cases, ...(notAsked !== undefined && { notAsked }) };
  }

  /** Lets signals through now and then; ioctls do not. */
  async #pause(phase: "playing" | "shrinking", count: number): Promise<void> {
    if (performance.now() - this.#lookedUp < PATIENCE_MS) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#lookedUp = performance.now();
    this.#options.onProgress?.(count, phase);
    if (this.#options.signal?.aborted) {
      throw new MmuError("ERR_ABORTED", `aborted after ${this.#played} scripts`);
    }
  }
}
