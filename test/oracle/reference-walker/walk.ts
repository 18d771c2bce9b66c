/**
 * KVM's walk of the guest's own tables: an address, registers and memory in,
 * an address or a fault out. KVM: FNAME(walk_addr_generic) (v6.16).
 */
import { type Grant, KEY_CODE, PRESENT_CODE, RESERVED_CODE, WRITE } from "./access.js";
import { type Step, setAccessedDirty } from "./accessed-dirty.js";
import { has, PAGE_BYTES, PAGE_SHIFT } from "./bits.js";
import { ACCESSED, DIRTY, isLast, isPresent, mappedAddress, tableOf } from "./entries.js";
import { type EptFault, type Fault, faultOf } from "./fault.js";
import type { Features } from "./features.js";
import { indexOf, modeOf, type Shape, shapeOf } from "./modes.js";
import { NO_PDPTRS, type Pdptrs } from "./pdptrs.js";
import { ALL_RIGHTS, isForbidden, restricted } from "./permissions.js";
import { isForbiddenByKey } from "./protection-keys.js";
import type { Registers } from "./registers.js";
import { breaksReserved } from "./reserved-bits.js";
import { type NestedFailure, type Placed, placed, placedTable, type SecondLevel } from "./second-level.js";
import type { TableMemory } from "./table-memory.js";

export interface Vcpu {
  readonly registers: Registers;
  readonly features: Features;
  /** Of PAE; those that were loaded last. */
  readonly pdptrs?: Pdptrs;
  /** Of a guest's guest: every address that its tables name, and the last, goes through here. */
  readonly beneath?: SecondLevel;
}

export interface Translation {
  /** With whatever stolen bit the last entry carried. */
  readonly gpa: bigint;
  /** Without: what a memslot is found by. */
  readonly gfn: bigint;
  readonly level: number;
  /** W is kept back from a page that is still clean, so that the first write is seen. */
  readonly granted: Grant;
  /** What the second level grants, where there is one. */
  readonly grantedBeneath?: Grant;
}

export type Outcome = Translation | { readonly fault: Fault | EptFault | undefined };

/** Why a descent ended early, as bits of the error code, 0 being not present; or what the second level said. */
type Descent =
  | { readonly steps: readonly Step[]; readonly granted: Grant }
  | { readonly why: bigint }
  | NestedFailure;

const NOT_PRESENT = { why: 0n };

function rootOf({ registers, pdptrs }: Vcpu, shape: Shape, address: bigint): bigint | undefined {
  if (shape.mode !== "pae") return registers.cr3;
  const pdpte = (pdptrs ?? NO_PDPTRS)[Number((address >> 30n) & 3n)] ?? 0n;
  return isPresent(pdpte) ? pdpte : undefined;
}

const tableIn = ({ beneath }: Vcpu, gpa: bigint): { readonly gpa: bigint } | NestedFailure =>
  beneath === undefined ? { gpa } : placedTable(beneath, gpa);

function descend(vcpu: Vcpu, memory: TableMemory, shape: Shape, address: bigint): Descent {
  const { registers, features } = vcpu;
  let pointer = rootOf(vcpu, shape, address);
  if (pointer === undefined) return NOT_PRESENT;
  const steps: Step[] = [];
  let granted = ALL_RIGHTS;
  for (let level = shape.topLevel; ; --level) {
    const table: bigint = tableOf(shape, pointer, features.stolen);
    const place = tableIn(vcpu, table);
    if ("fault" in place) return place;
    const gpa = place.gpa + indexOf(shape, level, address) * BigInt(shape.entryBytes);
    const entry = memory.read(gpa, shape.entryBytes);
    if (entry === undefined || !isPresent(entry)) return NOT_PRESENT;
    if (breaksReserved(shape, registers, features, entry, level))
      return { why: RESERVED_CODE | PRESENT_CODE };
    steps.push({ gpa, frame: table >> PAGE_SHIFT, level, entry });
    granted = restricted(granted, entry);
    if (isLast(shape, registers, entry, level)) return { steps, granted };
    pointer = entry;
  }
}

/** Bits of the error code for what the tables forbid; undefined if they allow it. */
function refusal(registers: Registers, granted: Grant, leaf: bigint, access: bigint): bigint | undefined {
  const byKey = isForbiddenByKey(registers, granted, leaf, access);
  if (!byKey && !isForbidden(registers, granted, access)) return undefined;
  return PRESENT_CODE | (byKey ? KEY_CODE : 0n);
}

/** The whole pages beneath are asked for; offsets come along unseen. */
function finalIn(
  { beneath }: Vcpu,
  gpa: bigint,
  access: bigint,
): { readonly gpa: bigint; readonly grantedBeneath?: Grant } | NestedFailure {
  if (beneath === undefined) return { gpa };
  const offset = gpa % PAGE_BYTES;
  const place = placed(beneath, gpa - offset, access);
  return "fault" in place ? place : { gpa: place.gpa + offset, grantedBeneath: place.granted };
}

const withoutStolen = (shape: Shape, { stolen }: Features, gpa: bigint): bigint =>
  shape.entryBytes === 8 ? gpa & ~stolen : gpa;

function walkTables(vcpu: Vcpu, memory: TableMemory, shape: Shape, address: bigint, access: bigint): Outcome {
  const { registers, features } = vcpu;
  const failed = (why: bigint) => ({ fault: faultOf(registers, address, access, why) });
  const marks = { entryBytes: shape.entryBytes, accessed: ACCESSED, dirty: DIRTY };
  for (;;) {
    const way = descend(vcpu, memory, shape, address);
    if ("fault" in way) return way;
    if ("why" in way) return failed(way.why);
    const last = way.steps.at(-1) as Step;
    const why = refusal(registers, way.granted, last.entry, access);
    if (why !== undefined) return failed(why);
    const final = finalIn(vcpu, mappedAddress(shape, last.entry, last.level, address), access);
    if ("fault" in final) return final;
    const update = setAccessedDirty(memory, marks, way.steps, access);
    if (update === "changed-meanwhile") continue;
    if (update !== "done") return failed(0n);
    const write = way.granted.write && (has(access, WRITE) || has(last.entry, DIRTY));
    const gfn = withoutStolen(shape, features, final.gpa) >> PAGE_SHIFT;
    return { ...final, gfn, level: last.level, granted: { ...way.granted, write } };
  }
}

/** INVALID_GPA: where paging is off, that address is itself the answer for "none". */
const NO_ADDRESS = (1n << 64n) - 1n;

function withoutTables({ beneath }: Vcpu, address: bigint, access: bigint): Outcome {
  const place: Placed | NestedFailure =
    beneath === undefined ? { gpa: address, granted: ALL_RIGHTS } : placed(beneath, address, access);
  if ("fault" in place) return place;
  if (place.gpa === NO_ADDRESS) return { fault: undefined };
  const seen = beneath === undefined ? {} : { grantedBeneath: place.granted };
  return { gpa: place.gpa, gfn: place.gpa >> PAGE_SHIFT, level: 0, granted: ALL_RIGHTS, ...seen };
}

export function walk(vcpu: Vcpu, memory: TableMemory, address: bigint, access: bigint): Outcome {
  if (vcpu.beneath !== undefined && vcpu.features.stolen !== 0n)
    throw new Error("no bit of an address is stolen where a guest has a guest");
  const mode = modeOf(vcpu.registers);
  if (mode === "off") return withoutTables(vcpu, address, access);
  return walkTables(vcpu, memory, shapeOf(mode), address, access);
}
