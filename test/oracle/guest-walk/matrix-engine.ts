/** The engine as a walker of the matrix: a VM for each set of alias bits, a page of entries a level at a time. */

import { TranslationBatch } from "../../../lib/columns/translation-batch.js";
import type { GuestTranslation } from "../../../lib/guest-translation.js";
import { GUEST_FEATURES } from "../../../lib/guest-vcpu.js";
import { type Access, createVm, type Vm } from "../../../lib/index.js";
import {
  type Answers,
  type Batch,
  CASES,
  CASES_A_SETTING,
  IMPLICIT_BIT,
  noAnswers,
  PAGE,
  ROOTS,
  ROOTS_PAGE,
  settingOf,
  TABLE_PAGES,
  TABLES,
  TRANSLATED,
  tableBytes,
  takeTable,
} from "../walk-matrix/batch.js";

/** More than the engine takes for few: 4,096. */
const WIDE_ROWS = 4500;
const LEVELS = 5;
const MAPPED = 0;
const presets = new Map([
  [0n, "none"],
  [1n << 47n, "bits:47"],
  [1n << 51n, "bits:51"],
]);

const accessIn = (packed: number): Access => {
  if ((packed & 2) !== 0) return "write";
  return (packed & 0x10) !== 0 ? "fetch" : "read";
};

function note(answers: Answers, i: number, answer: GuestTranslation): void {
  if (answer.ended === "noAddress") throw new Error("paging is never off here");
  answers.codes[i] = answer.ended === "fault" ? answer.fault.errorCode : TRANSLATED;
  if (answer.ended === "fault") return;
  const { user, write, execute } = answer.granted;
  answers.gpas[i] = answer.gpa;
  answers.levels[i] = answer.level;
  answers.rights[i] = Number(execute) | (Number(write) << 1) | (Number(user) << 2);
}

const optionsOf = (packed: number) => ({
  user: (packed & 4) !== 0,
  implicit: (packed & IMPLICIT_BIT) !== 0,
});

export class MatrixEngine {
  readonly #vms = new Map<bigint, Vm>();
  readonly #columns = new TranslationBatch(WIDE_ROWS);

  /** Each case by itself. */
  readonly walker = (batch: Batch): Answers =>
    this.#answer(batch, (vm, answers, first) => {
      for (let i = first; i < first + CASES_A_SETTING; ++i) {
        const packed = batch.accesses[i] ?? 0;
        const address = batch.addresses[i] ?? 0n;
        note(answers, i, vm.translate(address, accessIn(packed), optionsOf(packed)));
      }
    });

  /** Those of one access together. */
  readonly batchWalker = (batch: Batch): Answers => this.#inBatches(batch, CASES_A_SETTING);

  /** Over and over, so that whole groups of walks find what earlier ones have learnt; the last of each counts. */
  readonly wideBatchWalker = (batch: Batch): Answers => this.#inBatches(batch, WIDE_ROWS);

  readonly #inBatches = (batch: Batch, rows: number): Answers =>
    this.#answer(batch, (vm, answers, first) => {
      const cases = [...Array(CASES_A_SETTING).keys()].map((n) => first + n);
      const kinds = new Set(cases.map((i) => batch.accesses[i] ?? 0));
      for (const kind of kinds)
        this.#together(
          vm,
          batch,
          answers,
          cases.filter((i) => batch.accesses[i] === kind),
          rows,
        );
    });

  #answer(batch: Batch, walk: (vm: Vm, answers: Answers, first: number) => void): Answers {
    const vm = this.#vmFor(batch.features.stolen);
    this.#load(vm, batch);
    const answers = noAnswers(batch);
    for (let first = 0; first < CASES; first += CASES_A_SETTING) {
      vm.setGuestRegisters(settingOf(batch, first));
      walk(vm, answers, first);
    }
    for (let level = 1; level <= LEVELS; ++level)
      takeTable(batch, level, vm.memory.read(TABLES + level * PAGE, PAGE), answers.entries);
    return answers;
  }

  #together(vm: Vm, batch: Batch, answers: Answers, cases: readonly number[], rows: number): void {
    const columns = this.#columns;
    const times = rows < WIDE_ROWS ? 1 : Math.floor(rows / cases.length);
    const last = (times - 1) * cases.length;
    columns.count = times * cases.length;
    for (let row = 0; row < columns.count; ++row)
      columns.gva[row] = batch.addresses[cases[row % cases.length] ?? 0] ?? 0n;
    const packed = batch.accesses[cases[0] ?? 0] ?? 0;
    vm.translateBatch(columns, accessIn(packed), optionsOf(packed));
    for (const [n, i] of cases.entries()) {
      const row = last + n;
      const isMapped = columns.ended[row] === MAPPED;
      answers.codes[i] = isMapped ? TRANSLATED : (columns.errorCode[row] ?? 0);
      if (!isMapped) continue;
      answers.gpas[i] = BigInt(columns.gpa[row] ?? 0);
      answers.levels[i] = columns.level[row] ?? 0;
      answers.rights[i] = columns.granted[row] ?? 0;
    }
  }

  close(): void {
    for (const vm of this.#vms.values()) vm.close();
  }

  #vmFor(stolen: bigint): Vm {
    const had = this.#vms.get(stolen);
    if (had !== undefined) return had;
    const preset = presets.get(stolen);
    if (preset === undefined) throw new Error(`no preset steals 0x${stolen.toString(16)}`);
    const vm = createVm({ alias: { preset, strategy: stolen === 0n ? "none" : "precise" } });
    vm.memslots.add({ gpa: TABLES, bytes: TABLE_PAGES * PAGE });
    vm.memslots.add({ gpa: ROOTS_PAGE, bytes: PAGE });
    this.#vms.set(stolen, vm);
    return vm;
  }

  #load(vm: Vm, batch: Batch): void {
    const { maxphyaddr = null, isAmd, hasGigabytePages } = batch.features;
    const features = GUEST_FEATURES.filter((each) => each !== "pdpe1gb" || hasGigabytePages);
    vm.setGuestCpuid({ maxphyaddr, vendor: isAmd ? "amd" : "intel", features });
    for (let level = 1; level <= LEVELS; ++level)
      vm.memory.write(TABLES + level * PAGE, tableBytes(batch, level));
    vm.memory.write(ROOTS, new Uint8Array(BigUint64Array.from(batch.pdptrs).buffer));
  }
}
