/**
 * Random operations that load, reuse, obsolete and recycle the roots of a
 * guest's shadow tables.
 *
 * Slots are set only where KVM takes them for sure: this kind is about roots.
 */
import type { VectorOp } from "../../vectors/types.js";
import type { Random } from "../random.js";

const LEAST_OPS = 20;
const MOST_OPS = 140;
const MOST_VCPUS = 4;
const PAGE = 4096;

/** Each id has a place of its own, so that no move meets another slot. */
const PLACES: readonly (readonly [id: number, gpa: number])[] = [
  [0, 0],
  [1, 0x4000_0000],
  [2, 0xffff_8000],
  [3, 0x700_0000],
  [7, 0x200_0000_0000],
];
const SIZES = [0x8000, 0x1_0000, 0x4_0000, 0x10_0000];

interface Slot {
  readonly id: number;
  readonly gpa: number;
  readonly bytes: number;
  readonly flags: number;
}

interface Draft {
  readonly random: Random;
  readonly slots: Map<number, Slot>;
  /** CR3s that are loaded again and again. */
  readonly roots: readonly string[];
  vcpus: number;
}

type Make = (draft: Draft) => readonly VectorOp[];

export function generateRoots(random: Random): readonly VectorOp[] {
  const isTight = random.isOneIn(4);
  const roots = Array.from({ length: random.between(3, isTight ? 60 : 16) }, () => randomRoot(random));
  const draft: Draft = { random, slots: new Map(), roots, vcpus: 1 };
  const ops: VectorOp[] = [["vm"]];
  if (random.isOneIn(3)) ops.push(["disable_quirks2", "0x80"]);
  if (isTight) ops.push(["nr_mmu_pages", random.between(64, 90)]);
  const length = random.between(LEAST_OPS, MOST_OPS);
  while (ops.length < length) ops.push(...random.weighted(CHOICES)(draft));
  return ops;
}

const CHOICES: readonly (readonly [number, Make])[] = [
  // What is loaded is seen by what loads it.
  [40, (draft) => [registers(draft), prefault(draft)]],
  [4, (draft) => [prefault(draft)]],
  [10, (draft) => [setSlot(draft)]],
  [6, (draft) => [selectVcpu(draft), prefault(draft)]],
  [2, ({ random }) => [["cpuid", random.pick([40, 44, 48])]]],
  [1, ({ random }) => [["nr_mmu_pages", random.pick([0, 63, 64, 66, 72, 90, 500])]]],
  [
    1,
    ({ random }) => [
      ["disable_quirks2", random.pick(["0x0", "0x80", "0x100", "0x200", "0x400", "0x100000000"])],
    ],
  ],
  [2, ({ random }) => [["translate", hexOf(random.below(2 ** 30) * random.pick([1, PAGE, 2 ** 17]))]]],
];

function randomRoot(random: Random): string {
  const [, base] = random.pick(PLACES);
  const page = random.isOneIn(10) ? 0x3000_0000 : base + random.below(16) * PAGE;
  return hexOf(
    page +
      random.weighted([
        [5, 0],
        [1, 0x18],
      ]),
  );
}

function registers({ random, roots }: Draft): VectorOp {
  const cr0 = random.weighted([
    [24, "0x80010031"],
    [10, "0x80000031"],
    [1, "0x31"],
    [1, "0x10031"],
    [1, "0x60000010"],
  ]);
  const isPaging = cr0.startsWith("0x8");
  const cr4 = random.weighted([
    [10, "0x20"],
    [3, "0xa0"],
    [3, "0x100020"],
    [3, "0x200020"],
    [3, "0x300020"],
    [3, "0x400020"],
    [3, "0x30"],
    [1, "0x0"],
  ]);
  const efer = isPaging ? random.pick(["0xd00", "0xd00", "0x500"]) : random.pick(["0x0", "0x100", "0x900"]);
  return ["sregs", cr0, random.pick(roots), cr4, efer, isPaging ? random.below(2) : 0];
}

function prefault({ random }: Draft): VectorOp {
  if (!random.isOneIn(20))
    return ["prefault", random.pick(["0x0", "0x1000", "0x300000000"]), "0x1000", "0x0"];
  const gpa = random.pick(["0x0", "0x1", "0x1000", "0xfffffffffffff000"]);
  return ["prefault", gpa, random.pick(["0x0", "0x800", "0x1000"]), random.pick(["0x0", "0x0", "0x1"])];
}

function selectVcpu(draft: Draft): VectorOp {
  const { random, vcpus } = draft;
  const number = random.below(Math.min(vcpus + 1, MOST_VCPUS));
  if (number === vcpus) draft.vcpus++;
  return ["vcpu", number];
}

function setSlot({ random, slots }: Draft): VectorOp {
  const [id, gpa] = random.pick(PLACES);
  const slot = slots.get(id);
  const set = slot === undefined ? newSlot(random, id, gpa) : changed(random, slot);
  if (set.bytes === 0) slots.delete(id);
  else slots.set(id, set);
  return ["slot", id, hexOf(set.gpa), hexOf(set.bytes), set.flags, hexOf(id * 0x10_0000)];
}

function newSlot(random: Random, id: number, gpa: number): Slot {
  return {
    id,
    gpa,
    bytes: random.pick(SIZES),
    flags: random.weighted([
      [6, 0],
      [3, 1],
      [1, 2],
      [1, 3],
    ]),
  };
}

function changed(random: Random, slot: Slot): Slot {
  const change = random.weighted<() => Partial<Slot>>([
    [5, () => ({ flags: slot.flags ^ 1 })],
    [3, () => ({ gpa: slot.gpa + random.pick([PAGE, 0x8000]) })],
    [3, () => ({ bytes: 0 })],
    [1, () => ({})],
  ]);
  return { ...slot, ...change() };
}

function hexOf(value: number): string {
  return `0x${value.toString(16)}`;
}
