/**
 * Asks the engine what a vector asked of a kernel, and words the answers the
 * same way.
 *
 * The machine is the one that recorded the vectors: a KVM with shadow paging
 * and one address space. Flushes are counted as there, by how much the VM's
 * statistic grew.
 */
import { nativeConfigOf } from "../../config/engine.js";
import { resolveConfigWith } from "../../config.js";
import type { NativeAddon, NativeVm, NativeVmConfig } from "../../native/addon-types.js";
import { outcomeOf } from "../outcome.js";
import type { VectorAnswer, VectorOp } from "../types.js";
import { ProcessMemory } from "./process-memory.js";
import { writeWallClock } from "./wall-clock.js";

const WORD_BYTES = 8;
const WORD_PAGES = 64;
const PAGE_BYTES = 4096;
/** In a vector, an open file that is no guest_memfd; the engine says -2. */
const OTHER_FILE = 254;
/** Tables are never built here, and the smallest arena is the cheapest to make. */
const ARENA_BYTES = 2 ** 21;

/** What an op reads, if it reads anything. */
type Perform = (vm: VectorVm, op: VectorOp) => unknown;

const PERFORM: Readonly<Record<string, Perform>> = {
  vm: (vm, [, type]) => vm.create(type as number),
  vcpu: ({ native }, [, id]) => void native.createVcpu(id as number),
  cap: ({ native }, [, cap, flags, arg0]) => native.enableCap(cap as number, flags as number, big(arg0)),
  set: ({ native }, op) => void native.setMemslot({ ...regionOf(op), isOldIoctl: true }),
  set2: ({ native }, op) =>
    void native.setMemslot({ ...regionOf(op), memfd: fileOf(op[6] as number), memfdOffset: big(op[7]) }),
  gmem: ({ native }, [, size, flags]) => void native.createGuestMemfd(big(size), big(flags)),
  get: ({ native }, [, slot, isNull]) => hex(native.dirtyLog(slot as number, false, isNull === 1)),
  clear: ({ native }, op) => clear(native, op),
  poke: ({ native, memory }, [, gpa]) => writeWallClock(native, memory, big(gpa)),
  peek: ({ memory }, [, hva]) =>
    [3, 2, 1, 0].reduce((word, at) => word * 256 + memory.read(Number(hva) + at), 0),
  ring: ({ native }, [, most]) => {
    const { slot, page } = native.collectRing(0, most as number);
    return Array.from(slot, (each, at) => [each, page[at]]);
  },
  reset: ({ native }) => native.resetRings().entries,
};

export class VectorVm {
  readonly #addon: NativeAddon;
  readonly #config: NativeVmConfig;
  #native: NativeVm | undefined;
  memory = new ProcessMemory();

  constructor(addon: NativeAddon) {
    this.#addon = addon;
    const config = { kernel: "pvm-6.18", mmu: "rmap", hostMaxphyaddr: 48, arenaBytes: ARENA_BYTES } as const;
    this.#config = { ...nativeConfigOf(resolveConfigWith(addon, config)), vcpus: 0 };
  }

  get native(): NativeVm {
    if (this.#native === undefined) throw new Error("a vector begins with a VM");
    return this.#native;
  }

  /** KVM_CREATE_VM, the process' memory being zero again. That kernel has VMs of type 0 only. */
  create(type: number): void {
    if (type !== 0) throw Object.assign(new Error("no such type of VM"), { errno: "EINVAL" });
    this.close();
    this.memory = new ProcessMemory();
    this.#native = new this.#addon.Vm(this.#config);
  }

  perform(op: VectorOp): VectorAnswer {
    const before = this.#flushes();
    const [outcome, ...value] = outcomeOf(() => (PERFORM[op[0]] as Perform)(this, op));
    const flushes = this.#flushes() - (op[0] === "vm" ? 0 : before);
    return [outcome, flushes, ...value];
  }

  close(): void {
    this.#native?.close();
    this.#native = undefined;
  }

  #flushes(): number {
    return this.#native?.flushes().full ?? 0;
  }
}

const big = (value: unknown): bigint => BigInt(value as string);

function regionOf([, slot, flags, gpa, bytes, hva]: VectorOp) {
  return {
    slot: slot as number,
    flags: flags as number,
    gpa: big(gpa),
    bytes: big(bytes),
    hva: big(hva),
    backing: 1,
  };
}

function fileOf(fd: number): number {
  if (fd === OTHER_FILE) return -2;
  return fd >= 0 && fd < OTHER_FILE ? fd : -1;
}

/** Bytes of a bitmap, byte 0 first, without the zeros at the end. */
function hex(words: BigUint64Array): string {
  const bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength);
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
  return bytes.toString("hex", 0, end);
}

function clear(native: NativeVm, [, slot, first, num, isNull, content]: VectorOp): void {
  const pages = Number(num);
  const bitmap = isNull === 1 ? null : bitmapOf(native, slot as number, pages, content as string);
  native.clearDirtyLog(slot as number, big(first), pages, bitmap);
}

/** `PREFIX:FILL`, no longer than the slot: more is refused before anybody reads it. */
function bitmapOf(native: NativeVm, slot: number, pages: number, content: string): BigUint64Array {
  const inSlot = (native.memslot(slot)?.bytes ?? 0) / PAGE_BYTES;
  const words = Math.ceil(Math.min(pages, inSlot) / WORD_PAGES);
  const [prefix = "", fill = ""] = content.split(":");
  const bytes = Buffer.alloc(words * WORD_BYTES, Number.parseInt(fill, 16));
  Buffer.from(prefix, "hex").copy(bytes);
  return new BigUint64Array(new Uint8Array(bytes).buffer);
}
