/**
 * Everything that can be seen of a VM at one moment, as lines of text, so that
 * two VMs are equal if their texts are, and the first differing line says how.
 */
import { expect } from "vitest";
import type { Vm } from "../../../lib/index.js";
import { hex, leavesText } from "../../support/vm-text.js";
import { asKernelHasIt } from "../reference/formats.js";
import { PAGE_BYTES } from "../reference/frames.js";
import type { Slot } from "../reference/memslots.js";
import type { LeafCount, RenderedLeaf } from "../reference/report.js";
import type { ReferenceMmu } from "../reference-mmu.js";
import { aliasViewOf } from "./vm-surface.js";

export type Snapshot = readonly string[];

const EMPTY = 0x8000000000000000n;
/** A link apart from the table that it names: readable, writable, executable, accessed, MMU-present. */
const LINK = 0x8000000000000907n;
/** The same in a host without Accessed and Dirty bits. */
const LINK_WITHOUT_AD = 0x8010000000000807n;
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

const mappedBy = (leaves: readonly string[]): string => `mapped by ${leaves.join()}`;

/** What the reference does not count: it models no such thing, and has no hash. */
const UNCOMPARED = [
  ...["invlpg", "insn_emulation_fail", "l1d_flush"],
  ...["mmu_pte_write", "mmu_pde_zapped", "mmu_pte_updated", "mmu_flooded", "mmu_unsync"],
  "max_mmu_page_hash_collisions",
];

const comparedStats = (stats: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(stats).filter(([name]) => !UNCOMPARED.includes(name)));

/** `probes`: addresses whose walk and rmap are looked at too. */
export function snapshotOfReference(model: ReferenceMmu, probes: readonly number[]): Snapshot {
  const { roots, byLevel } = model.tables();
  const levels = byLevel.slice(1, model.state.config.rootLevel + 1);
  const leaves = model.leaves({ mmio: true });
  return [
    `generations ${model.state.memslots.generations.join(" ")}`,
    ...model.slots().map(slotLine),
    `stats ${sorted(comparedStats(model.stats()))}`,
    `tables: ${roots} roots, ${levels.join(" ")}`,
    parentsLine(model.tableList()),
    `flushes ${sorted(model.state.flush)}`,
    `coexisting ${model.state.coexisting}`,
    ...model.violations().map(violationLine),
    ...model.advisories().map(violationLine),
    ...model.leafCounts().map(countLine),
    `leaves ${model.leaves({ mmio: false }).length}`,
    ...leaves.map(leafLine),
    ...probes.map((gpa) => `at ${hex(gpa)}: ${referencePath(model, gpa)}`),
    ...probes.map((gpa) => frameLine(gpa, model.isPrivate(gpa), model.rmapCount(gpa))),
  ];
}

export function snapshotOfVm(vm: Vm, probes: readonly number[]): Snapshot {
  const { roots, byLevel } = vm.tables();
  const view = aliasViewOf(vm);
  return [
    `generations ${generationsOf(vm).join(" ")}`,
    ...Array.from(vm.memslots, (slot) =>
      [
        `slot ${slot.asId}:${slot.id} ${hex(slot.gpa)} + ${hex(slot.bytes)} hva ${hex(slot.hva)} ${slot.backing}`,
        `readonly ${slot.readonly} logged ${slot.dirtyLogging} dirty ${slot.dirtyPages}`,
      ].join(" "),
    ),
    `stats ${sorted(comparedStats(vm.stats()))}`,
    `tables: ${roots} roots, ${Object.values(byLevel).join(" ")}`,
    parentsLine(view.tablePages()),
    `flushes ${sorted(view.flushes())}`,
    `coexisting ${view.coexisting()}`,
    ...view.violations().map(violationLine),
    ...view.advisories().map(violationLine),
    ...auditLines(vm),
    ...view.leafCounts().map(countLine),
    `leaves ${vm.leaves().gpa.length}`,
    ...leavesText(vm),
    ...probes.map((gpa) => `at ${hex(gpa)}: ${vmPath(vm, gpa)}`),
    ...probes.map((gpa) => frameLine(gpa, view.isPrivate(gpa), view.rmapCount(gpa))),
  ];
}

/** The model has no such books to get wrong, so that whatever is not a known defect's doing is a difference. */
function auditLines(vm: Vm): string[] {
  const unknown = vm.audit().findings.filter(({ defect }) => defect === "");
  return unknown.map(({ rule, reason, gpa, level, root }) =>
    gpa === undefined
      ? `audit ${rule}: ${reason}`
      : `audit ${rule}: ${reason}, level ${level} at ${hex(gpa)} in root ${root}`,
  );
}

/** Of as many address spaces as the VM has. */
function generationsOf(vm: Vm): number[] {
  try {
    return [vm.generation(0), vm.generation(1)];
  } catch (error) {
    expect(error).toMatchObject({ code: "ERR_MEMSLOT_ADDRESS_SPACE" });
    return [vm.generation(0)];
  }
}

function slotLine({ slot, asId, base, pages, hva, backing, readonly, logged, dirty }: Slot): string {
  const range = `${hex(base * PAGE_BYTES)} + ${hex(pages * PAGE_BYTES)}`;
  const kind = `readonly ${readonly} logged ${logged} dirty ${dirty?.size ?? 0}`;
  return `slot ${asId}:${slot % 65536} ${range} hva ${hex(hva)} ${SIZES[backing]} ${kind}`;
}

/** How many tables of each level have how many links to them. */
function parentsLine(tables: readonly { readonly level: number; readonly parents: number }[]): string {
  const kinds = tables.map(({ level, parents }) => `level ${level} with ${parents} parents`);
  const counts = [...new Set(kinds)]
    .sort()
    .map((kind) => `${kind}: ${kinds.filter((each) => each === kind).length}`);
  return `links ${counts.join(", ")}`;
}

const violationLine = ({
  rule,
  count,
  firstEvent,
}: {
  rule: string;
  count: number;
  firstEvent: number;
}): string => `violation ${rule} ${count} times, first at event ${firstEvent}`;

const countLine = ({ offset, counts }: LeafCount): string =>
  `through ${hex(offset)}: ${counts.slice(1).join(" ")} leaves`;

const frameLine = (gpa: number, isPrivate: boolean, reverse: number): string =>
  `of ${hex(gpa)}: ${isPrivate ? "private" : "shared"}, ${reverse} in reverse maps`;

/** The levels walked, the entry that ends the walk, and what maps the page. */
function referencePath(model: ReferenceMmu, gpa: number): string {
  const { kernel } = model.state.config;
  const walk = model.walk(gpa);
  const last =
    walk === undefined
      ? ""
      : `${walk.isLeaf ? "leaf " : ""}${hex(walk.spte ?? asKernelHasIt(kernel, EMPTY))}`;
  const levels = walk?.levels ?? [];
  const link = asKernelHasIt(kernel, model.state.config.host.adBits ? LINK : LINK_WITHOUT_AD);
  const words = levels.map((level, i) => `${level} ${i < levels.length - 1 ? hex(link) : last}`);
  const leaves = model.leavesAt(gpa).map((leaf) => `${hex(leaf.gpa)} ${SIZES[leaf.level]}`);
  return `${words.join(", ")}; ${mappedBy(leaves)}`;
}

function vmPath(vm: Vm, gpa: number): string {
  const steps = vm.walk(gpa).map(({ level, spte, isLeaf }, i, all) => {
    if (i < all.length - 1) return `${level} ${hex(spte & ~ADDRESS_MASK)}`;
    return `${level} ${isLeaf ? "leaf " : ""}${hex(spte)}`;
  });
  return `${steps.join(", ")}; ${mappedBy(vm.rmap(gpa).map((leaf) => `${hex(leaf.gpa)} ${leaf.pageSize}`))}`;
}
