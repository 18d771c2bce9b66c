// A KVM for tests where the machine has none: the engine, asked as the addon
// asks a kernel. A test gives it a rule of its own to see what is made of it.
import { loadAddon } from "../../lib/native/addon.js";
import type {
  NativeLiveKvm,
  NativeLiveRegion,
  NativeLiveRegisters,
  NativeVm,
} from "../../lib/native/addon-types.js";
import { VectorVm } from "../../lib/vectors/memslots/vector-vm.js";
import { writeWallClock } from "../../lib/vectors/memslots/wall-clock.js";

const REGISTERS = { cr0: 0x6000_0010n, cr3: 0n, cr4: 0n, efer: 0n, code64: false };
const PAGING = 1n << 31n;

/** The errno of a refusal, or "0". */
export function outcomeOf(call: () => unknown): string {
  try {
    call();
    return "0";
  } catch (error) {
    const errno = (error as { errno?: string }).errno;
    if (errno === undefined || errno === "") throw error;
    return errno;
  }
}

export class EngineKvm implements NativeLiveKvm {
  readonly #vm = new VectorVm(loadAddon());
  #registers: NativeLiveRegisters = REGISTERS;
  #vcpus = 0;
  isClosed = false;

  get native(): NativeVm {
    return this.#vm.native;
  }

  extension = (capability: number): number => ([118, 233, 236].includes(capability) ? 0 : 1);
  createVm = (type: number): string => this.newVm(type);
  createVcpu = (id: number): string => this.newVcpu(id);
  enableCap = (cap: number, flags: number, arg0: bigint): string =>
    outcomeOf(() => this.native.enableCap(cap, flags, arg0));
  setMemslot({ isOldIoctl, memfd, memfdOffset, ...region }: NativeLiveRegion): string {
    const file = isOldIoctl ? { isOldIoctl } : { memfd, memfdOffset };
    return outcomeOf(() => this.native.setMemslot({ ...region, backing: 1, ...file }));
  }
  createGuestMemfd = (bytes: bigint, flags: bigint): string =>
    outcomeOf(() => this.native.createGuestMemfd(bytes, flags));
  setMmuPages = (pages: bigint): string => outcomeOf(() => this.native.setMmuPages(Number(pages)));

  dirtyLog(slot: number, isNull: boolean): readonly [string, Uint8Array] {
    let bytes: Uint8Array = new Uint8Array();
    const outcome = outcomeOf(() => {
      bytes = new Uint8Array(this.native.dirtyLog(slot, false, isNull).buffer);
    });
    return [outcome, bytes];
  }

  clearDirtyLog(slot: number, first: bigint, pages: number, prefix: Uint8Array | undefined, fill: number) {
    const bytes = new Uint8Array(Math.ceil(Math.min(pages, 2 ** 20) / 64) * 8).fill(fill);
    bytes.set((prefix ?? new Uint8Array()).subarray(0, bytes.length));
    const bitmap = prefix === undefined ? null : new BigUint64Array(bytes.buffer);
    return outcomeOf(() => this.native.clearDirtyLog(slot, first, pages, bitmap));
  }

  collectRing(vcpu: number, most: number): readonly [string, Uint32Array, Float64Array] {
    let entries = { slot: new Uint32Array(), page: new Float64Array() };
    const outcome = outcomeOf(() => {
      entries = this.native.collectRing(vcpu, most) as typeof entries;
    });
    return [outcome, entries.slot, entries.page];
  }

  resetRings(): readonly [string, number] {
    let entries = 0;
    const outcome = outcomeOf(() => {
      entries = this.native.resetRings().entries;
    });
    return [outcome, entries];
  }

  setMsr = (vcpu: number, _msr: number, gpa: bigint): string =>
    vcpu < this.#vcpus ? outcomeOf(() => writeWallClock(this.native, this.#vm.memory, gpa)) : "EBADF";
  setCpuid = (_vcpu: number, _words: Uint32Array): string => "0";
  registers = (): readonly [string, NativeLiveRegisters] => ["0", this.#registers];
  setRegisters = (_vcpu: number, registers: NativeLiveRegisters): string => {
    this.#registers = { ...registers, cr0: registers.cr0 & ~PAGING };
    return "0";
  };
  setRflags = (_vcpu: number, _rflags: bigint): string => "0";
  translate = (_vcpu: number, _gva: bigint): readonly [string, boolean, bigint] => [
    "0",
    false,
    2n ** 64n - 1n,
  ];
  prefault = (): string => "EOPNOTSUPP";
  statistic = (name: string): number | undefined =>
    name === "remote_tlb_flush_requests" ? this.native.flushes().full : undefined;

  readMemory(hva: bigint, bytes: number): readonly [string, Uint8Array] {
    const places = Array.from({ length: bytes }, (_, at) => Number(hva) + at);
    return ["0", Uint8Array.from(places, (place) => this.#vm.memory.read(place))];
  }
  writeMemory = (_hva: bigint, _bytes: Uint8Array): string => "0";
  protect = (_hva: bigint, _bytes: bigint, _protection: number): string => "0";
  unprotect = (): string => "0";

  protected newVm(type: number): string {
    this.#registers = REGISTERS;
    this.#vcpus = 0;
    return outcomeOf(() => this.#vm.create(type));
  }

  protected newVcpu(id: number): string {
    return outcomeOf(() => {
      this.native.createVcpu(id);
      this.#vcpus++;
    });
  }

  close(): void {
    this.isClosed = true;
    this.#vm.close();
  }
}
