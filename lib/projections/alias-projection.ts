/**
 * Rows of a trace through the aliases that a choice names.
 *
 * Where memory is private or shared, RAM starts private and everything else
 * is shared, and a page of RAM is converted before the first access through
 * its other alias. It must not know how the choice is made.
 */
import { formatGpa, type Gpa, PAGE_BYTES } from "../address.js";
import { type EventBatch, KIND } from "../columns/event-batch.js";
import { MmuError, TraceError } from "../errors.js";
import { expectInteger } from "../expect.js";
import { PageWords } from "./page-words.js";
import type { AliasChoice, Projection, ProjectionContext } from "./projection.js";
import { RamMap } from "./ram-map.js";
import { appendConversion, appendRun } from "./rows.js";

const PRIVATE = 0;
const SHARED = 1;
const NOWHERE = -1;

export interface AliasProjectionOptions {
  readonly text: string | undefined;
  readonly choice: Pick<AliasChoice, "next">;
  /** Whether the choice is asked about RAM alone. */
  readonly ramOnly: boolean;
}

export class AliasProjection implements Projection {
  readonly text: string | undefined;
  readonly #choice: Pick<AliasChoice, "next">;
  readonly #aliases: readonly Gpa[];
  /** Below it no address carries an alias bit. */
  readonly #firstAlias: Gpa;
  readonly #ram: RamMap;
  readonly #ramOnly: boolean;
  /** The alias of what is not RAM, if the choice is not asked about it. */
  readonly #elsewhere: number;
  /** The alias that each page of RAM was converted to, where aliases are private or shared. */
  readonly #converted: PageWords | undefined;
  /** The alias of an access whose conversion stands in front of it. */
  #pending = NOWHERE;
  #conversions = 0;
  /** Rows of the trace that were taken. */
  #events = 0;
  /** The number of the event that is, or would be, row 0 of the batch. */
  #firstEvent = 0;

  constructor({ text, choice, ramOnly }: AliasProjectionOptions, context: ProjectionContext) {
    const hasShared = context.kind === "private-shared";
    this.text = text;
    this.#choice = choice;
    this.#aliases = context.aliases;
    this.#firstAlias = context.aliases[1] as Gpa;
    this.#ram = new RamMap(context);
    this.#ramOnly = ramOnly || hasShared;
    this.#elsewhere = hasShared ? SHARED : 0;
    this.#converted = hasShared ? new PageWords() : undefined;
  }

  get conversions(): number {
    return this.#conversions;
  }

  project(source: EventBatch, from: number, into: EventBatch): number {
    expectFilling(into);
    let row = expectInteger("from", from, 0, source.count);
    while (row < source.count && !into.isFull) {
      this.#firstEvent = this.#events - row;
      const end = Math.min(source.count, row + into.capacity - into.count);
      const next = this.#run(source, row, end, into);
      this.#events += next - row;
      // The access whose page is converted first opens the next run, with its alias pending.
      if (this.#pending !== NOWHERE) this.#convert(source, next, into);
      row = next;
    }
    return row;
  }

  /** Appends rows from `from` up to `end` or to the access that needs a conversion; returns which. */
  #run(source: EventBatch, from: number, end: number, into: EventBatch): number {
    const { kind, gpa } = source;
    const moved = into.gpa;
    const shift = into.count - from;
    let row = from;
    for (; row < end; row++) {
      const own = gpa[row] as number;
      const alias = kind[row] === KIND.access ? this.#aliasOf(source, row, own) : 0;
      if (alias === NOWHERE) break;
      moved[row + shift] = own + (this.#aliases[alias] as number);
    }
    appendRun(into, source, from, row);
    return row;
  }

  /** The alias of an access; `NOWHERE` if it is pending until its page is converted. */
  #aliasOf(source: EventBatch, row: number, gpa: Gpa): number {
    if (this.#pending !== NOWHERE) return this.#settled();
    if (gpa >= this.#firstAlias) return this.#unprojected(gpa, row);
    if (this.#ramOnly && !this.#ram.has(gpa)) return this.#elsewhere;
    const gfn = Math.floor(gpa / PAGE_BYTES);
    const alias = this.#choice.next(gpa, gfn, source.access[row] as number);
    if (this.#converted === undefined || this.#converted.at(gfn) === alias) return alias;
    this.#converted.put(alias);
    this.#pending = alias;
    return NOWHERE;
  }

  #settled(): number {
    const alias = this.#pending;
    this.#pending = NOWHERE;
    return alias;
  }

  #convert(source: EventBatch, row: number, into: EventBatch): void {
    appendConversion(into, source, row, this.#pending === PRIVATE);
    this.#conversions++;
  }

  // An address wider than the machine's is left as it is: the VM refuses it, by its own name.
  #unprojected(gpa: Gpa, row: number): number {
    if (gpa >= this.#firstAlias * this.#aliases.length) return 0;
    const event = this.#firstEvent + row;
    const message =
      `event ${event}: the trace's own address ${formatGpa(gpa)} carries the alias bit; ` +
      "a projection is for traces without";
    throw new TraceError(message, { values: { event, gpa } });
  }
}

function expectFilling(into: EventBatch): void {
  if (into.state === "filling") return;
  throw new MmuError("ERR_BUSY", `cannot project into an event batch whose state is "${into.state}"`);
}
