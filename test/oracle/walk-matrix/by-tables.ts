/**
 * A batch answered a second way, by tables of reserved bits and rights made beforehand and numbers of 32 bits. They
 * are two so that a slip in one is seen by the other, and this one is the faster.
 */
import { EFER_NX, type Registers, RFLAGS_AC } from "../reference-walker/registers.js";
import {
  type Answers,
  type Batch,
  CASES,
  CASES_A_SETTING,
  IMPLICIT_BIT,
  noAnswers,
  TABLE_PAGES,
  TABLES,
  TRANSLATED,
} from "./batch.js";
import { keyMask, permissionBytes } from "./permission-table.js";
import { reservedHalves } from "./reserved-table.js";
import { TOP } from "./settings.js";

const [P, W, U, RSVD, F, PK] = [1, 2, 4, 8, 0x10, 0x20];
const [LARGE, ACCESSED, DIRTY] = [0x80, 0x20, 0x40];
/** Of a pair of halves. */
const ADDRESS_LOW = 0xffff_f000;
const ADDRESS_HIGH = 0x000f_ffff;

/** What stays the same for all cases of a setting. */
interface Tables {
  readonly reserved: Uint32Array;
  readonly bytes: Uint8Array;
  /** SMAP's, for what a supervisor means. */
  readonly isSuspended: boolean;
  readonly pkru: number;
  /** At 1 for a write and 2 for a user's access. */
  readonly keyMasks: readonly number[];
  readonly hasSizes: boolean;
  readonly tellsFetch: boolean;
}

const tablesOf = (batch: Batch, registers: Registers): Tables => ({
  reserved: reservedHalves(batch.mode, batch.features, registers),
  bytes: permissionBytes(registers),
  isSuspended: (registers.rflags & RFLAGS_AC) !== 0n,
  pkru: Number(registers.pkru),
  keyMasks: [0, 1, 2, 3].map((n) => keyMask(registers, (n & 1) !== 0, (n & 2) !== 0)),
  hasSizes: batch.mode !== "32-bit" || (registers.cr4 & 0x10n) !== 0n,
  tellsFetch: (registers.efer & EFER_NX) !== 0n || (registers.cr4 & 0x10_0000n) !== 0n,
});

/** One batch, with room for the way of one walk. */
class Walk {
  readonly #batch: Batch;
  readonly #halves: Uint32Array;
  readonly #answers: Answers;
  readonly #after: Uint32Array;
  readonly #gpas: Uint32Array;
  readonly #addresses: Uint32Array;
  readonly #stolenLow: number;
  readonly #stolenHigh: number;
  readonly #top: number;
  readonly #way = new Int32Array(TABLE_PAGES);

  constructor(batch: Batch, answers: Answers) {
    this.#batch = batch;
    this.#answers = answers;
    this.#top = TOP[batch.mode];
    this.#halves = new Uint32Array(batch.entries.buffer);
    this.#after = new Uint32Array(answers.entries.buffer);
    this.#gpas = new Uint32Array(answers.gpas.buffer);
    this.#addresses = new Uint32Array(batch.addresses.buffer);
    this.#stolenLow = Number(batch.features.stolen & 0xffff_ffffn) | 0;
    this.#stolenHigh = Number(batch.features.stolen >> 32n) | 0;
  }

  /** Where in the halves case `i` has its entry of the page that lies there, or -1: 0, or no slot at all. */
  #entryIn(low: number, high: number, i: number): number {
    if ((high & ADDRESS_HIGH & ~this.#stolenHigh) !== 0) return -1;
    const page = (((low & ADDRESS_LOW & ~this.#stolenLow) >>> 0) - TABLES) / 4096;
    return page >= 0 && page < 6 ? (page * CASES + i) * 2 : -1;
  }

  #root(i: number): number {
    const { mode, pdptrs } = this.#batch;
    const which = ((this.#addresses[2 * i] ?? 0) >>> 30) & 3;
    const isThere = mode !== "pae" || ((pdptrs[which] ?? 0n) & 1n) !== 0n;
    return isThere ? (this.#top * CASES + i) * 2 : -1;
  }

  /** The error code, or -1 with the answer noted. */
  of(i: number, tables: Tables): number {
    const access = this.#batch.accesses[i] ?? 0;
    const asked = (access & (W | U)) | (tables.tellsFetch ? access & F : 0);
    let at = this.#root(i);
    let rights = 7;
    for (let level = this.#top, steps = 0; ; --level) {
      if (at < 0) return asked;
      const low = this.#halves[at] ?? 0;
      const high = this.#halves[at + 1] ?? 0;
      if ((low & P) === 0) return asked;
      const mask = 4 * level + ((low & LARGE) >> 6);
      if (((low & (tables.reserved[mask] ?? 0)) | (high & (tables.reserved[mask + 1] ?? 0))) !== 0)
        return asked | RSVD | P;
      this.#way[steps++] = at;
      rights &= (low & (W | U)) | (high >>> 31 === 0 ? 1 : 0);
      if (level > 1 && ((low & LARGE) === 0 || !tables.hasSizes)) {
        at = this.#entryIn(low, high, i);
        continue;
      }
      const why = this.#refusal(tables, access, rights, high);
      if (why !== 0) return asked | why;
      this.#note(i, level, steps, rights, (access & W) !== 0);
      return TRANSLATED;
    }
  }

  /** P and PK, or 0 if the access is allowed. */
  #refusal(tables: Tables, access: number, rights: number, high: number): number {
    const suspended = tables.isSuspended && (access & IMPLICIT_BIT) === 0;
    // The error code's W, U and F, from bit 0 on.
    const index = ((access & (W | U | F)) >> 1) | (suspended ? 4 : 0);
    const keyRights = tables.pkru >>> (2 * ((high >>> 27) & 15));
    const keyed = (access & F) === 0 && (rights & U) !== 0;
    if (keyed && (keyRights & (tables.keyMasks[index & 3] ?? 0)) !== 0) return P | PK;
    return (((tables.bytes[index] ?? 0) >>> rights) & 1) !== 0 ? P : 0;
  }

  #note(i: number, level: number, steps: number, rights: number, write: boolean): void {
    const at = this.#way[steps - 1] ?? 0;
    const low = this.#halves[at] ?? 0;
    this.#mark(steps, write);
    this.#answers.levels[i] = level;
    this.#answers.rights[i] = write || (low & DIRTY) !== 0 ? rights : rights & ~W;
    this.#address(i, level, low, this.#halves[at + 1] ?? 0);
  }

  #mark(steps: number, write: boolean): void {
    for (let n = 0; n < steps; ++n) {
      const at = this.#way[n] ?? 0;
      this.#after[at] = (this.#after[at] ?? 0) | ACCESSED;
      if (write && n === steps - 1) this.#after[at] = (this.#after[at] ?? 0) | DIRTY;
    }
  }

  #address(i: number, level: number, low: number, high: number): void {
    const narrow = this.#batch.mode === "32-bit";
    const offset = 2 ** (12 + (narrow ? 10 : 9) * (level - 1)) - 1;
    const address = this.#addresses[2 * i] ?? 0;
    this.#gpas[2 * i] = (low & ADDRESS_LOW & ~offset) | (address & offset);
    // PSE-36: bits 16:13 are bits 35:32.
    if (narrow) this.#gpas[2 * i + 1] = level === 2 ? (low >>> 13) & 15 : 0;
    else this.#gpas[2 * i + 1] = high & ADDRESS_HIGH;
  }
}

export function answersByTables(batch: Batch): Answers {
  const answers = noAnswers(batch);
  const walk = new Walk(batch, answers);
  const tables = batch.settings.map((registers) => tablesOf(batch, registers));
  for (let i = 0; i < CASES; ++i)
    answers.codes[i] = walk.of(i, tables[Math.floor(i / CASES_A_SETTING)] as Tables);
  return answers;
}
