// An addon that models nothing: a page is fixed at its first access and hit
// ever after. It notes what each VM was given, so that what the library hands
// over can be looked at.
import { EventBatch, KIND } from "../../lib/columns/event-batch.js";
import { LAYOUT, OUTCOMES } from "../../lib/columns/layout.js";
import { OutcomeBatch } from "../../lib/columns/outcome-batch.js";
import type {
  NativeAddon,
  NativeMemslot,
  NativeOutcome,
  NativeRegion,
  NativeViolation,
  NativeVm,
  NativeVmConfig,
} from "../../lib/native/addon-types.js";
import { fakeEngine, nativeError } from "./fake-engine.js";

const PAGE = 4096;
const NO_CHANGE: NativeOutcome = {
  outcome: OUTCOMES.indexOf("done"),
  level: 0,
  tablesRead: 0,
  sptesChanged: 0,
  flush: 0,
  flushedPages: 0,
};

/** What tests look at, and what they arrange. */
export interface FakeControl {
  /** Every VM that was made since the last reset. */
  readonly vms: FakeVm[];
  /** Runs in flight now, and the most that there were at once. */
  inFlight: number;
  mostInFlight: number;
  /** A strategy whose VM refuses the row of this gpa. */
  refuses: { readonly strategy: string; readonly gpa: number } | undefined;
  /** Violations that VMs of a strategy report. */
  readonly violations: Record<string, readonly NativeViolation[]>;
}

export const control: FakeControl = {
  vms: [],
  inFlight: 0,
  mostInFlight: 0,
  refuses: undefined,
  violations: {},
};

export function resetFake(): void {
  control.vms.length = 0;
  control.inFlight = 0;
  control.mostInFlight = 0;
  control.refuses = undefined;
  for (const name of Object.keys(control.violations)) delete control.violations[name];
}

export class FakeVm implements NativeVm {
  readonly config: NativeVmConfig;
  /** Every row that it was given, as [kind, gpa, access]. */
  readonly rows: (readonly [number, number, number])[] = [];
  /** Of each run. */
  readonly helpers: number[] = [];
  closed = false;
  readonly #slots = new Map<number, NativeMemslot>();
  readonly #touched = new Set<number>();
  #isAborted = false;
  #release: string | undefined;
  #full = 0;

  constructor(config: NativeVmConfig) {
    const reason = fakeEngine.applicability(config);
    if (reason !== "") throw nativeError("ERR_UNSUPPORTED", reason);
    this.config = config;
    control.vms.push(this);
  }

  runSync(events: ArrayBuffer, outcomes: ArrayBuffer, capacity: number, count: number): number {
    const from = viewOf(new EventBatch(capacity), events);
    const to = new OutcomeBatch(capacity);
    for (let row = 0; row < count; row++) {
      const [kind, gpa, access] = [from.kind[row], from.gpa[row], from.access[row]] as [
        number,
        number,
        number,
      ];
      if (control.refuses?.strategy === this.config.strategy && control.refuses.gpa === gpa) {
        throw nativeError("ERR_EVENT", `event ${row}: expected another address`, { row, applied: row });
      }
      this.rows.push([kind, gpa, access]);
      const outcome = this.#apply(kind, gpa);
      for (const name of [
        "outcome",
        "level",
        "tablesRead",
        "sptesChanged",
        "flush",
        "flushedPages",
      ] as const) {
        to[name][row] = outcome[name];
      }
    }
    new Uint8Array(outcomes).set(new Uint8Array(to.buffer));
    return count;
  }

  async run(
    events: ArrayBuffer,
    outcomes: ArrayBuffer,
    capacity: number,
    count: number,
    helpers = 0,
  ): Promise<number> {
    this.helpers.push(helpers);
    this.#isAborted = false;
    control.inFlight++;
    control.mostInFlight = Math.max(control.mostInFlight, control.inFlight);
    try {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (this.#isAborted) throw nativeError("ERR_ABORTED", "aborted", { applied: 0 });
      return this.runSync(events, outcomes, capacity, count);
    } finally {
      control.inFlight--;
    }
  }

  abort(): void {
    this.#isAborted = true;
  }

  step(kind: number, gpa: number): NativeOutcome {
    return this.#apply(kind, gpa);
  }

  setMemslot(region: NativeRegion): NativeOutcome {
    this.#slots.set(region.slot, { ...region, dirtyPages: 0 });
    return NO_CHANGE;
  }

  setHostMapping = (): undefined => undefined;
  prefault = () => ({ bytesDone: 0, errno: "" });
  invalidation = () => ({ inProgress: 0, start: 0, end: 0, sequence: 0 });
  setMmuPages = (): NativeOutcome => NO_CHANGE;
  setMtrr = (): NativeOutcome => NO_CHANGE;
  applied = (): number => 0;
  memslots = (): NativeMemslot[] => [...this.#slots.values()];
  memslot = (slot: number): NativeMemslot | undefined => this.#slots.get(slot);
  generation = (): number => 0;
  dirtyLog = (): BigUint64Array => new BigUint64Array();
  setTrace = (release: string | undefined): void => {
    this.#release = release;
  };
  takeTrace = (): string =>
    this.#release === undefined ? "" : `${this.#touched.size} pages, ${this.#release}\n`;
  clearDirtyLog = (): NativeOutcome => NO_CHANGE;
  collectRing = () => ({ slot: new Uint32Array(), page: new Float64Array() });
  resetRings = () => ({ ...NO_CHANGE, entries: 0 });
  enableCap = (): void => {};
  disableQuirks = (): void => {};
  createVcpu = (): number => 0;
  createGuestMemfd = (): number => 0;
  guestWrite = () => ({ bytesDone: 0, faulted: true, hva: new Float64Array(), bytes: new Float64Array() });
  guestRead = () => this.guestWrite();
  setGuestCpuid = (): void => {};
  setGuestRegisters = (): void => {};
  guestRegisters = () => new BigUint64Array(7);
  loadGuestCr3 = (): void => {};
  setNestedPaging = (): void => {};
  writeGuestMemory = (): void => {};
  readGuestMemory = (_: number | bigint, bytes: number) => new Uint8Array(bytes);
  addressByGva = (): void => {};
  accessGva = (): NativeOutcome => NO_CHANGE;
  guestFault = () => undefined;
  translateBatch = (): void => {};
  translate = () => ({
    ended: 2,
    level: 0,
    granted: 0,
    gpa: 0n,
    errorCode: 0n,
    address: 0n,
    nested: false,
    qualification: 0n,
  });
  walk = () => [];
  walkBatch = (): void => {};
  page = () => ({ ways: [], cached: [] });
  rmap = () => ({ gpa: new Float64Array(), spte: new BigUint64Array(), level: new Uint8Array() });
  leaves = () => this.rmap();
  stats = (): Record<string, number> => ({ pf_taken: this.#touched.size });
  vcpuStats = this.stats;
  tables = () => ({ roots: 1, byLevel: [0, 1, 1, 1, 1, 0], bytesInUse: 0, bytesCommitted: 0 });
  dirtyRounds = () => ({ rounds: 0, reaping: 0, pages: 0 });
  flushes = () => ({ none: 0, range: 0, full: this.#full, pages: 0 });
  violations = () => [...(control.violations[this.config.strategy] ?? [])];
  advisories = (): NativeViolation[] => [];
  judged = (): string[] => ["alias-stuck"];
  audit = () => ({ events: 0, count: 0, findings: [] });
  auditEvery = (): void => {};
  coexisting = (): number => 0;
  conversions = (): number => 0;
  leafCounts = () => [{ offset: 0, counts: [0, this.#touched.size, 0, 0] }];
  isPrivate = (): boolean => false;
  tableList = () => ({
    gpa: new Float64Array(),
    level: new Uint8Array(),
    parents: new Uint32Array(),
    root: new Uint8Array(),
  });
  rmapCount = (): number => 0;
  close = (): void => {
    this.closed = true;
  };

  #apply(kind: number, gpa: number): NativeOutcome {
    if (kind === KIND.attributes) {
      this.#full++;
      return { ...NO_CHANGE, flush: 2 };
    }
    if (kind !== KIND.access) return NO_CHANGE;
    const page = Math.floor(gpa / PAGE);
    const outcome = OUTCOMES.indexOf(this.#touched.has(page) ? "hit" : "fixed");
    this.#touched.add(page);
    return { ...NO_CHANGE, outcome, level: 1, tablesRead: 4 };
  }
}

/** A batch that shows a block: what the engine was handed, with names to its columns. */
function viewOf(batch: EventBatch, block: ArrayBuffer): EventBatch {
  const bytes = new Uint8Array(batch.buffer);
  bytes.set(new Uint8Array(block).subarray(0, bytes.length));
  return batch;
}

const unused = () => {
  throw new Error("the fake addon has no such thing");
};

export const fakeAddon: NativeAddon = {
  ...fakeEngine,
  layout: () => LAYOUT,
  errors: () => [],
  rules: () => [
    {
      id: "alias-stuck",
      kind: "violation",
      sentence: "a guest makes no progress",
      reason: "It waits.",
      source: "KVM: kvm_tdp_mmu_map(), v6.16",
      defects: ["D1a"],
      needs: [],
    },
  ],
  formats: () => [],
  detectFormat: () => "",
  build: () => ({}),
  Vm: FakeVm,
  LiveKvm: unused as unknown as NativeAddon["LiveKvm"],
  Explorer: unused as unknown as NativeAddon["Explorer"],
  observedEvents: unused,
  Observer: unused as unknown as NativeAddon["Observer"],
  Decoder: unused as unknown as NativeAddon["Decoder"],
  MappedFile: unused as unknown as NativeAddon["MappedFile"],
  trials: () => [],
  Trial: unused as unknown as NativeAddon["Trial"],
};
