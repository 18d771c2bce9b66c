/** Seeded VMs that print what they do: faults, unmaps, slots that go and come, dirty logs. */
import { createVm, type Vm, type VmConfig } from "../../lib/index.js";
import { type Random, seeded } from "../support/random.js";

export interface Kind {
  readonly name: string;
  readonly release: "6.16" | "6.1" | "5.10";
  readonly config: VmConfig;
}

/** What a recording can tell of a host, in four mixtures. */
export const KINDS: readonly Kind[] = [
  { name: "6.16, Intel", release: "6.16", config: {} },
  {
    name: "6.16, Intel with PML and mitigations",
    release: "6.16",
    config: { addressBits: 46, host: { pml: true, nxHugePages: true, l1tf: true } },
  },
  { name: "6.1, Intel with PML", release: "6.1", config: { host: { pml: true } } },
  { name: "6.1, AMD", release: "6.1", config: { host: { vendor: "amd" } } },
  { name: "5.10, Intel", release: "5.10", config: { kernel: "5.10" } },
];

const PAGE = 4096;
const REGION = 512 * PAGE;
const HVA = 2 ** 32;
/** Beyond every slot. */
const HOLE = 0x1000_0000;
/** Pages of the first slot that are used: few, so that they are met again. */
const PAGES = 12;

/** What a VM printed that lived through so many operations of a seed. */
export function emittedBy({ release, config }: Kind, seed: number, operations: number): string {
  using vm = createVm(config);
  const guest = new Guest(vm, seeded(seed));
  vm.setTrace(release);
  // The last page of each slot first, so that its size can be told.
  vm.access(REGION - PAGE, "write");
  vm.access(REGION, "write");
  for (let i = 0; i < operations; i++) guest.step();
  return vm.takeTrace();
}

class Guest {
  readonly #vm: Vm;
  readonly #random: Random;
  #isLogged = false;

  constructor(vm: Vm, random: Random) {
    this.#vm = vm;
    this.#random = random;
    this.#add(0);
    this.#add(1);
  }

  step(): void {
    const [vm, random] = [this.#vm, this.#random];
    const what = random.below(20);
    if (what < 13) vm.access(this.#address(), random.pick(["read", "write", "fetch"] as const));
    else if (what < 16) vm.invalidateHva(HVA + random.below(PAGES) * PAGE, PAGE);
    else if (what === 16) vm.invalidateHva(HVA + REGION, REGION);
    else if (what === 17) this.#replace();
    else this.#log();
  }

  #address(): number {
    const { below, once } = this.#random;
    if (once(8)) return HOLE + below(2) * PAGE;
    return once(3) ? REGION + below(512) * PAGE : below(PAGES) * PAGE;
  }

  /** Which of two slots went cannot be told, so both come back as they were. */
  #replace(): void {
    if (this.#isLogged) return;
    const id = this.#random.below(2);
    this.#vm.memslots.get(id)?.delete();
    this.#add(id);
  }

  #log(): void {
    // A log that is switched on where nothing is mapped leaves no line, and nobody can know of it.
    if (!this.#isLogged) for (const gpa of [0, REGION]) this.#vm.access(gpa, "write");
    for (const id of [0, 1]) {
      const slot = this.#vm.memslots.get(id);
      if (this.#isLogged) slot?.takeDirtyLog();
      else slot?.setDirtyLogging(true);
    }
    this.#isLogged = true;
  }

  #add(id: number): void {
    const backing = id === 0 ? "4K" : "2M";
    this.#vm.memslots.add({ id, gpa: id * REGION, bytes: REGION, hva: HVA + id * REGION, backing });
  }
}
