/**
 * The aliases of a frame: one number for each value of the alias bits, which
 * are neighbours and the top bits of an issued frame number.
 */
import { PAGE_BYTES } from "./frames.js";
import type { Preset } from "./presets.js";

export class Aliases {
  /** Frames from one alias of a frame to the next; infinite without alias bits. */
  readonly step: number;
  readonly bits: number;

  constructor({ bits }: Pick<Preset, "bits">) {
    this.step = 2 ** (bits[0] ?? Number.POSITIVE_INFINITY) / PAGE_BYTES;
    this.bits = bits.length;
  }

  get count(): number {
    return 2 ** this.bits;
  }

  aliasOf(issued: number): number {
    return this.bits === 0 ? 0 : Math.floor(issued / this.step) % this.count;
  }

  /** Whether an alias bit indexes the table of 1G entries, and so would be in the middle of one. */
  get splits1G(): boolean {
    return this.step < 512 ** 3;
  }

  /** Frames between a canonical frame and that alias of it. */
  offset(alias: number): number {
    return alias === 0 ? 0 : alias * this.step;
  }

  canonical(issued: number): number {
    return issued - this.offset(this.aliasOf(issued));
  }

  all(): number[] {
    return Array.from({ length: this.count }, (_, alias) => alias);
  }
}
