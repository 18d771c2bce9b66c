/**
 * One operation of a memslots vector, asked of the machine's own kernel. The
 * answer is worded as in the recorded vectors.
 */
import type { NativeLiveKvm } from "../../native/live-types.js";
import type { VectorAnswer, VectorOp } from "../../vectors/types.js";
import { flushesOf } from "../kernel.js";
import { Unaskable } from "../live-kind.js";

const DONE = "0";
/** MSR_KVM_WALL_CLOCK_NEW: KVM writes the time of the host where it says. */
const WALL_CLOCK = 0x4b56_4d00;
/** In a vector, an open file that is no guest_memfd. */
const OTHER_FILE = 254;
const WORD_BYTES = 4;
/**
 * Between these, KVM would take a slot and with it gigabytes of its own
 * memory: it allocates for every page of one. Above, it refuses, and so it
 * does what is no multiple of a page.
 */
const SLOT_BYTES = { harmless: 2n ** 32n, refused: 2n ** 43n };

/** The outcome, and what was read if anything was. */
type Asked = readonly [outcome: string, value?: unknown];

const ASK: Readonly<Record<string, (live: NativeLiveKvm, op: VectorOp) => Asked>> = {
  vm: (live, [, type]) => [live.createVm(type as number)],
  vcpu: (live, [, id]) => [live.createVcpu(id as number)],
  cap: (live, [, cap, flags, arg0]) => [live.enableCap(cap as number, flags as number, big(arg0))],
  set: (live, op) => [live.setMemslot({ ...regionOf(op), isOldIoctl: true, memfd: -1, memfdOffset: 0n })],
  set2: (live, op) => [
    live.setMemslot({
      ...regionOf(op),
      isOldIoctl: false,
      memfd: fileOf(op[6] as number),
      memfdOffset: big(op[7]),
    }),
  ],
  gmem: (live, [, size, flags]) => [live.createGuestMemfd(big(size), big(flags))],
  get: (live, [, slot, isNull]) => {
    const [outcome, bytes] = live.dirtyLog(slot as number, isNull === 1);
    return outcome === DONE ? [outcome, hex(bytes)] : [outcome];
  },
  clear: (live, op) => [clear(live, op)],
  poke: (live, [, gpa]) => {
    const outcome = live.setMsr(0, WALL_CLOCK, big(gpa));
    if (outcome !== DONE) throw new Unaskable(`the wall clock's MSR is refused: ${outcome}`);
    return [DONE];
  },
  peek: (live, [, hva]) => {
    const [outcome, bytes] = live.readMemory(big(hva), WORD_BYTES);
    if (outcome !== DONE) throw new Unaskable("a peek outside the process' memory");
    return [DONE, new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)];
  },
  ring: (live, [, most]) => {
    const [outcome, slot, page] = live.collectRing(0, most as number);
    return outcome === DONE ? [DONE, Array.from(slot, (each, at) => [each, page[at]])] : [outcome];
  },
  reset: (live) => {
    const [outcome, entries] = live.resetRings();
    return outcome === DONE ? [DONE, entries] : [outcome];
  },
};

export function askOp(live: NativeLiveKvm, op: VectorOp): VectorAnswer {
  const before = op[0] === "vm" ? 0 : flushesOf(live);
  const ask = ASK[op[0]];
  if (ask === undefined) throw new Unaskable(`no such operation: ${op[0]}`);
  const [outcome, ...value] = ask(live, op);
  return [outcome, flushesOf(live) - before, ...value];
}

const big = (value: unknown): bigint => BigInt(value as string);

function regionOf([, slot, flags, gpa, size, hva]: VectorOp) {
  const bytes = big(size);
  if (bytes > SLOT_BYTES.harmless && bytes < SLOT_BYTES.refused && bytes % 4096n === 0n) {
    throw new Unaskable(`a slot of ${bytes} bytes would cost the machine gigabytes`);
  }
  return { slot: slot as number, flags: flags as number, gpa: big(gpa), bytes, hva: big(hva) };
}

function fileOf(fd: number): number {
  if (fd === OTHER_FILE) return -2;
  return fd >= 0 && fd < OTHER_FILE ? fd : -1;
}

/** Byte 0 first, without the zeros at the end. */
function hex(bytes: Uint8Array): string {
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
  return Buffer.from(bytes.buffer, bytes.byteOffset, end).toString("hex");
}

function clear(live: NativeLiveKvm, [, slot, first, pages, isNull, content]: VectorOp): string {
  const [prefix = "", fill = ""] = (content as string).split(":");
  const bytes = isNull === 1 ? undefined : new Uint8Array(Buffer.from(prefix, "hex"));
  return live.clearDirtyLog(slot as number, big(first), Number(pages), bytes, Number.parseInt(fill, 16));
}
