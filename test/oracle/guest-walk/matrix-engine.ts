/** The engine as a walker of the matrix: a VM for each set of alias bits, a page of entries a level at a time. */
import type { GuestTranslation } from "../../../lib/guest-translation.js";
import { GUEST_FEATURES } from "../../../lib/guest-vcpu.js";
import { type Access, createVm, type Vm } from "../../../lib/index.js";
import {
  type Answers,
  type Batch,
  CASES,
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

const LEVELS = 5;
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

export class MatrixEngine {
  readonly #vms = new Map<bigint, Vm>();

  readonly walker = (batch: Batch): Answers => {
    const vm = this.#vmFor(batch.features.stolen);
    this.#load(vm, batch);
    const answers = noAnswers(batch);
    for (let i = 0; i < CASES; ++i) {
      if (i === 0 || settingOf(batch, i) !== settingOf(batch, i - 1))
        vm.setGuestRegisters(settingOf(batch, i));
      const packed = batch.accesses[i] ?? 0;
      const options = { user: (packed & 4) !== 0, implicit: (packed & IMPLICIT_BIT) !== 0 };
      note(answers, i, vm.translate(batch.addresses[i] ?? 0n, accessIn(packed), options));
    }
    for (let level = 1; level <= LEVELS; ++level)
      takeTable(batch, level, vm.memory.read(TABLES + level * PAGE, PAGE), answers.entries);
    return answers;
  };

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
