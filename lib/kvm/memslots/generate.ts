/**
 * Random operations on memslots and dirty logs, most of them beside an edge.
 *
 * It remembers what was asked and not what was answered: whoever generates
 * with a model of the kernel asks only what the model thinks of.
 */
import type { VectorOp } from "../../vectors/types.js";
import type { Kernel } from "../kernel.js";
import type { Random } from "../random.js";
import { besideEdge, hexOf, PAGE, randomBytes, randomGpa, randomHva, wrapped } from "./places.js";
import { withoutTime } from "./time.js";

/** A dirty ring of the smallest size holds 256 entries, and a poke pushes six at most. */
const MOST_OPS = 36;
const LEAST_OPS = 8;
const HIGHEST = 2n ** 52n;
const LARGEST = 2n ** 32n;
const MOST_SLOTS = 32_764;

interface Slot {
  readonly id: number;
  readonly flags: number;
  readonly gpa: bigint;
  readonly bytes: bigint;
  readonly hva: bigint;
}

/** What the script has asked so far. */
interface Draft {
  readonly random: Random;
  readonly kernel: Kernel;
  /** Rings take the place of bitmaps in this one. */
  readonly hasRings: boolean;
  readonly slots: Map<number, Slot>;
  files: number;
}

type Make = (draft: Draft) => VectorOp;

export function generateOps(random: Random, kernel: Kernel): readonly VectorOp[] {
  const hasRings = kernel.has("ring") && random.isOneIn(5);
  const draft: Draft = { random, kernel, hasRings, slots: new Map(), files: 0 };
  const ops: VectorOp[] = [["vm", 0], ...caps(draft), ["vcpu", random.isOneIn(8) ? random.below(4) : 0]];
  for (let rest = random.between(LEAST_OPS, MOST_OPS - ops.length); rest > 0; rest--) {
    ops.push(random.weighted(choices(draft))(draft));
  }
  return withoutTime(ops);
}

function caps({ random, kernel, hasRings }: Draft): VectorOp[] {
  const ops: VectorOp[] = [];
  if (hasRings) {
    const bytes = random.pick([0x1000n, 0x1000n, 0x2000n, 0x10000n, 0x100000n]);
    ops.push(["cap", random.pick([192, 223]), 0, hexOf(bytes)]);
  }
  if (kernel.has("manualProtect") && random.isOneIn(3)) ops.push(manualProtect(random));
  return ops;
}

function manualProtect(random: Random): VectorOp {
  return [
    "cap",
    168,
    random.isOneIn(8) ? 1 : 0,
    hexOf(
      BigInt(
        random.weighted([
          [6, 1],
          [4, 3],
          [1, 2],
          [1, 0],
          [1, 7],
        ]),
      ),
    ),
  ];
}

function choices({ kernel, slots, hasRings }: Draft): readonly (readonly [number, Make])[] {
  const hasSlots = slots.size > 0;
  return [
    [hasSlots ? 8 : 40, newSlot],
    [hasSlots ? 12 : 0, changedSlot],
    [hasSlots ? 22 : 2, poke],
    [hasRings ? 2 : 14, get],
    [hasRings ? 1 : 9, clear],
    [2, peek],
    [hasRings ? 8 : 0, ring],
    [hasRings ? 5 : 1, () => ["reset"]],
    [1, lateCap],
    [1, lateVcpu],
    [kernel.has("guestMemfd") ? 2 : 0, memfd],
    [kernel.has("memory2") ? 3 : 0, slotWithFile],
  ];
}

function newSlot(draft: Draft): VectorOp {
  const { random } = draft;
  return set(draft, {
    id: randomId(draft),
    flags: random.weighted([
      [40, 1],
      [20, 0],
      [8, 2],
      [8, 3],
      [1, 4],
      [1, 8],
      [1, 65_536],
      [1, 2 ** 32 - 1],
    ]),
    gpa: randomGpa(random, edgesOf(draft)),
    bytes: randomBytes(random),
    hva: randomHva(random),
  });
}

function changedSlot(draft: Draft): VectorOp {
  const { random } = draft;
  const slot = random.pick([...draft.slots.values()]);
  const change = random.weighted<(slot: Slot) => Partial<Slot>>([
    [10, ({ flags }) => ({ flags: (flags ^ 1) >>> 0 })],
    [8, () => ({ gpa: randomGpa(random, edgesOf(draft)) })],
    [4, () => ({ bytes: 0n })],
    [3, ({ flags }) => ({ flags: (flags ^ 2) >>> 0 })],
    [3, () => ({ bytes: randomBytes(random) })],
    [2, () => ({ hva: randomHva(random) })],
    [2, ({ flags }) => ({ flags: (flags ^ 1) >>> 0, gpa: randomGpa(random, edgesOf(draft)) })],
    [2, () => ({})],
  ]);
  return set(draft, { ...slot, ...change(slot) });
}

function set(draft: Draft, slot: Slot): VectorOp {
  note(draft, slot);
  return ["set", ...argumentsOf(slot)];
}

function slotWithFile(draft: Draft): VectorOp {
  const { random, files } = draft;
  const flags = random.weighted([
    [6, 4],
    [2, 0],
    [2, 1],
    [1, 5],
    [1, 6],
    [1, 7],
  ]);
  const gpa = randomGpa(random, edgesOf(draft));
  const slot = { id: randomId(draft), flags, gpa, bytes: randomBytes(random), hva: randomHva(random) };
  note(draft, slot);
  const fd = random.weighted([
    [files > 0 ? 12 : 0, random.below(Math.max(files, 1))],
    [1, 254],
    [1, -1],
    [1, 17],
  ]);
  const offset = random.weighted([
    [6, 0n],
    [2, PAGE],
    [1, 0x40n * PAGE],
    [1, 0x10n],
    [1, 2n ** 63n],
    [1, 2n ** 64n - PAGE],
  ]);
  return ["set2", ...argumentsOf(slot), fd, hexOf(offset)];
}

function argumentsOf({ id, flags, gpa, bytes, hva }: Slot) {
  return [id, flags, hexOf(gpa), hexOf(bytes), hexOf(hva)] as const;
}

/** Remembered is what KVM is likely to take: a script whose slots are mostly refused asks little. */
function note(draft: Draft, slot: Slot): void {
  const { slots } = draft;
  if (slot.bytes === 0n) slots.delete(slot.id);
  else if (isLikely(draft, slot)) slots.set(slot.id, slot);
}

function isLikely({ slots }: Draft, { id, flags, gpa, bytes, hva }: Slot): boolean {
  const before = slots.get(id);
  const isSame =
    before === undefined ||
    (before.bytes === bytes && before.hva === hva && (before.flags & ~1) === (flags & ~1));
  const isWhole = (gpa | bytes | hva) % PAGE === 0n;
  const fits = gpa + bytes <= HIGHEST && bytes <= LARGEST && id < MOST_SLOTS && flags <= 7;
  const others = [...slots.values()].filter((other) => other.id !== id);
  return (
    isSame &&
    isWhole &&
    fits &&
    !others.some((other) => gpa < other.gpa + other.bytes && other.gpa < gpa + bytes)
  );
}

function randomId({ random, slots }: Draft): number {
  const edge = random.pick([509, 32_763, 32_764, 65_535, 65_536, 65_537, 2 ** 31 - 65_536, 2 ** 32 - 1]);
  return random.weighted([
    [30, random.below(10)],
    [slots.size > 0 ? 8 : 0, slots.size > 0 ? random.pick([...slots.keys()]) : 0],
    [2, edge],
  ]);
}

function edgesOf({ slots }: Draft): bigint[] {
  return [...slots.values()].flatMap(({ gpa, bytes }) => [gpa, wrapped(gpa + bytes)]);
}

function poke(draft: Draft): VectorOp {
  const { random, slots } = draft;
  if (slots.size === 0 || random.isOneIn(12)) return ["poke", hexOf(randomGpa(random, edgesOf(draft)))];
  const { gpa, bytes } = random.pick([...slots.values()]);
  const pages = bytes / PAGE;
  const page = random.pick([0n, 1n, 63n, 64n, 65n, 128n, pages - 1n, pages, pages / 2n]);
  return ["poke", hexOf(besideEdge(random, wrapped(gpa + (page % (pages + 1n)) * PAGE)))];
}

function anyId(draft: Draft): number {
  const { random, slots } = draft;
  return slots.size > 0 && !random.isOneIn(8) ? random.pick([...slots.keys()]) : randomId(draft);
}

function loggedId(draft: Draft): number {
  const logged = [...draft.slots.values()].filter(({ flags }) => flags % 2 === 1);
  return logged.length > 0 && !draft.random.isOneIn(4) ? draft.random.pick(logged).id : anyId(draft);
}

function get(draft: Draft): VectorOp {
  return ["get", loggedId(draft), draft.random.isOneIn(16) ? 1 : 0];
}

/** Windows of 64 pages are taken whole, save a slot's last. */
function clear(draft: Draft): VectorOp {
  const { random, slots } = draft;
  const id = loggedId(draft);
  const pages = (slots.get(id)?.bytes ?? 0x40n * PAGE) / PAGE;
  const first = random.weighted([
    [12, 0n],
    [4, 0x40n],
    [2, 0x80n],
    [1, pages],
    [1, pages - (pages % 64n)],
    [1, 1n],
    [1, 2n ** 63n],
  ]);
  const left = wrapped(pages - first);
  const count = random.pick([0n, 0x3fn, 0x40n, 0x41n, 0x80n, pages, left, left, left + 0x40n, 0xffff_ffffn]);
  const content = random.pick([
    ":ff",
    ":ff",
    ":ff",
    ":00",
    "01:00",
    "02:00",
    "ff:00",
    "0000000000000080:00",
    "00:ff",
  ]);
  const isNull = random.isOneIn(16) ? 1 : 0;
  return ["clear", id, hexOf(first), hexOf(BigInt.asUintN(32, count)), isNull, content];
}

function peek({ random, slots }: Draft): VectorOp {
  const shown = [...slots.values()].map(({ hva }) => hva).filter((hva) => hva >> 30n === 2n ** 15n);
  const start = shown.length > 0 ? random.pick(shown) : 2n ** 45n;
  const offset = random.pick([0n, 4n, 0x10n, 0xff4n, 0xffcn, 0xffen, 0x1000n]);
  return ["peek", hexOf(start - (start % 4n) + offset)];
}

function ring({ random }: Draft): VectorOp {
  return [
    "ring",
    random.weighted([
      [6, 0],
      [2, 1],
      [1, 3],
      [1, 100],
    ]),
  ];
}

function lateCap({ random, kernel }: Draft): VectorOp {
  if (kernel.has("manualProtect") && random.isOneIn(2)) return manualProtect(random);
  const bytes = random.pick([0n, 0x800n, 0x1000n, 0x1800n, 0x100000n, 0x200000n, 2n ** 32n]);
  return ["cap", random.pick([192, 223]), random.isOneIn(4) ? 1 : 0, hexOf(bytes)];
}

function lateVcpu({ random }: Draft): VectorOp {
  return ["vcpu", random.pick([0, 1, 2, 4095, 4096, 2 ** 31])];
}

function memfd(draft: Draft): VectorOp {
  const { random } = draft;
  const bytes = random.weighted([
    [8, 0x200n * PAGE],
    [4, PAGE],
    [1, 0n],
    [1, 0x800n],
    [1, 2n ** 63n],
    [1, 2n ** 63n - PAGE],
  ]);
  draft.files++;
  return [
    "gmem",
    hexOf(bytes),
    hexOf(
      random.weighted([
        [8, 0n],
        [1, 1n],
        [1, 2n],
        [1, 3n],
        [1, 4n],
        [1, 2n ** 63n],
      ]),
    ),
  ];
}
