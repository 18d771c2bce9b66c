/** A batch as the plain reference walker answers it. */
import { FETCH, type Grant, IMPLICIT, USER, WRITE } from "../reference-walker/access.js";
import type { Exchange, TableMemory } from "../reference-walker/table-memory.js";
import { type Outcome, walk } from "../reference-walker/walk.js";
import {
  type Answers,
  type Batch,
  CASES,
  IMPLICIT_BIT,
  noAnswers,
  PAGE,
  settingOf,
  TABLE_PAGES,
  TABLES,
  TRANSLATED,
} from "./batch.js";

/** The slot of tables; what lies past the entries of a page's 512 cases is 0, as are pages without a table. */
class Tables implements TableMemory {
  readonly #entries: BigUint64Array;

  constructor(entries: BigUint64Array) {
    this.#entries = entries;
  }

  /** Where in `entries` it is, or -1 for what is 0, or undefined outside the slot. */
  #at(gpa: bigint, bytes: 4 | 8): number | undefined {
    const offset = Number(gpa) - TABLES;
    if (offset < 0 || offset >= TABLE_PAGES * PAGE) return undefined;
    const index = (offset % PAGE) / bytes;
    const at = Math.floor(offset / PAGE) * CASES + index;
    return index < CASES && at < this.#entries.length ? at : -1;
  }

  read(gpa: bigint, bytes: 4 | 8): bigint | undefined {
    const at = this.#at(gpa, bytes);
    return at === undefined ? undefined : (this.#entries[at] ?? 0n);
  }

  exchange(gpa: bigint, bytes: 4 | 8, old: bigint, next: bigint): Exchange {
    const at = this.#at(gpa, bytes);
    if (at === undefined) return "no-access";
    if (this.#entries[at] !== old) return "changed-meanwhile";
    this.#entries[at] = next;
    return "done";
  }

  markDirty(): void {}
}

export const accessOf = (packed: number): bigint =>
  (BigInt(packed) & (WRITE | USER | FETCH)) | ((packed & IMPLICIT_BIT) !== 0 ? IMPLICIT : 0n);

const rightsOf = ({ execute, write, user }: Grant): number =>
  Number(execute) | (Number(write) << 1) | (Number(user) << 2);

export function outcomeOf(batch: Batch, index: number, memory: TableMemory): Outcome {
  const vcpu = { registers: settingOf(batch, index), features: batch.features, pdptrs: batch.pdptrs };
  return walk(vcpu, memory, batch.addresses[index] ?? 0n, accessOf(batch.accesses[index] ?? 0));
}

export function plainAnswers(batch: Batch): Answers {
  const answers = noAnswers(batch);
  const memory = new Tables(answers.entries);
  for (let i = 0; i < CASES; ++i) {
    const outcome = outcomeOf(batch, i, memory);
    answers.codes[i] = "fault" in outcome ? Number(outcome.fault?.errorCode) : TRANSLATED;
    if ("fault" in outcome) continue;
    answers.gpas[i] = outcome.gpa;
    answers.levels[i] = outcome.level;
    answers.rights[i] = rightsOf(outcome.granted);
  }
  return answers;
}
