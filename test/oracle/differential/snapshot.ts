/**
 * Everything that can be seen of a VM at one moment, as lines of text, so that
 * two VMs are equal if their texts are, and the first differing line says how.
 */
import type { Vm } from "../../../lib/index.js";
import { hex, leavesText } from "../../support/vm-text.js";
import { frameOf, PAGE_BYTES } from "../reference/frames.js";
import type { Slot } from "../reference/memslots.js";
import { renderLeaf, renderMmio } from "../reference/spte.js";
import type { ReferenceMmu, RenderedLeaf } from "../reference-mmu.js";

export type Snapshot = readonly string[];

const EMPTY = 0x8000000000000000n;
/** A link apart from the table that it names: readable, writable, executable, accessed, MMU-present. */
const LINK = 0x8000000000000907n;
const ADDRESS_MASK = 0x000ffffffffff000n;
const SIZES = ["", "4K", "2M", "1G"];

const sorted = (record: Readonly<Record<string, number>>): string =>
  Object.entries(record)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");

/** As `leavesText` says it of a VM. */
export function leafLine({ gpa, level, spte }: RenderedLeaf): string {
  return `${hex(gpa)} level ${level} ${hex(spte)}`;
}

/** `probes`: addresses whose walk and rmap are looked at too. */
export function snapshotOfReference(model: ReferenceMmu, probes: readonly number[]): Snapshot {
  const { roots, byLevel } = model.tables();
  const levels = byLevel.slice(1, model.state.config.rootLevel + 1);
  const leaves = model.leaves({ mmio: true });
  return [
    `generations ${model.generation(0)} ${model.generation(1)}`,
    ...model.slots().map(slotLine),
    `stats ${sorted(model.stats())}`,
    `tables: ${roots} roots, ${levels.join(" ")}`,
    `leaves ${model.state.paging.leaves.size}`,
    ...leaves.map(leafLine),
    ...probes.map((gpa) => `at ${hex(gpa)}: ${referencePath(model, gpa)}`),
  ];
}

export function snapshotOfVm(vm: Vm, probes: readonly number[]): Snapshot {
  const { roots, byLevel } = vm.tables();
  return [
    `generations ${vm.generation(0)} ${vm.generation(1)}`,
    ...Array.from(vm.memslots, (slot) =>
      [
        `slot ${slot.asId}:${slot.id} ${hex(slot.gpa)} + ${hex(slot.bytes)} hva ${hex(slot.hva)} ${slot.backing}`,
        `readonly ${slot.readonly} logged ${slot.dirtyLogging} dirty ${slot.dirtyPages}`,
      ].join(" "),
    ),
    `stats ${sorted(vm.stats())}`,
    `tables: ${roots} roots, ${Object.values(byLevel).join(" ")}`,
    `leaves ${vm.leaves().gpa.length}`,
    ...leavesText(vm),
    ...probes.map((gpa) => `at ${hex(gpa)}: ${vmPath(vm, gpa)}`),
  ];
}

function slotLine({ slot, asId, base, pages, hva, backing, readonly, logged, dirty }: Slot): string {
  const range = `${hex(base * PAGE_BYTES)} + ${hex(pages * PAGE_BYTES)}`;
  const kind = `readonly ${readonly} logged ${logged} dirty ${dirty?.size ?? 0}`;
  return `slot ${asId}:${slot % 65536} ${range} hva ${hex(hva)} ${SIZES[backing]} ${kind}`;
}

/** The levels walked, the entry that ends the walk, and what maps the page. */
function referencePath(model: ReferenceMmu, gpa: number): string {
  const { paging } = model.state;
  const levels = model.walkLevels(gpa);
  const { entry } = paging.walk(frameOf(gpa));
  const words = levels.map(() => hex(LINK));
  if (words.length > 0) words.pop();
  if (levels.length > 0)
    words.push(
      entry.kind === "leaf"
        ? `leaf ${hex(renderLeaf(entry.leaf))}`
        : hex(entry.kind === "mmio" ? renderMmio(frameOf(gpa), entry.generation) : EMPTY),
    );
  const rmap =
    entry.kind === "leaf" ? [`${hex(entry.leaf.gfn * PAGE_BYTES)} ${SIZES[entry.leaf.level]}`] : [];
  return `${levels.map((level, i) => `${level} ${words[i]}`).join(", ")}; mapped by ${rmap.join()}`;
}

function vmPath(vm: Vm, gpa: number): string {
  const steps = vm.walk(gpa).map(({ level, spte, isLeaf }, i, all) => {
    if (i < all.length - 1) return `${level} ${hex(spte & ~ADDRESS_MASK)}`;
    return `${level} ${isLeaf ? "leaf " : ""}${hex(spte)}`;
  });
  const rmap = vm.rmap(gpa).map((leaf) => `${hex(leaf.gpa)} ${leaf.pageSize}`);
  return `${steps.join(", ")}; mapped by ${rmap.join()}`;
}
