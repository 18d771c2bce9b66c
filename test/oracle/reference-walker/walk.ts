/**
 * KVM's walk of the guest's own tables: an address, registers and memory in,
 * an address or a fault out. KVM: FNAME(walk_addr_generic) (v6.16).
 */
import { type Grant, KEY_CODE, PRESENT_CODE, RESERVED_CODE, WRITE } from "./access.js";
import { type Step, setAccessedDirty } from "./accessed-dirty.js";
import { has, PAGE_SHIFT } from "./bits.js";
import { DIRTY, isLast, isPresent, mappedAddress, tableOf } from "./entries.js";
import { type Fault, faultOf } from "./fault.js";
import type { Features } from "./features.js";
import { indexOf, modeOf, type Shape, shapeOf } from "./modes.js";
import { NO_PDPTRS, type Pdptrs } from "./pdptrs.js";
import { ALL_RIGHTS, isForbidden, restricted } from "./permissions.js";
import { isForbiddenByKey } from "./protection-keys.js";
import type { Registers } from "./registers.js";
import { breaksReserved } from "./reserved-bits.js";
import type { TableMemory } from "./table-memory.js";

export interface Vcpu {
  readonly registers: Registers;
  readonly features: Features;
  /** Of PAE; those that were loaded last. */
  readonly pdptrs?: Pdptrs;
}

export interface Translation {
  /** With whatever stolen bit the last entry carried. */
  readonly gpa: bigint;
  /** Without: what a memslot is found by. */
  readonly gfn: bigint;
  readonly level: number;
  /** W is kept back from a page that is still clean, so that the first write is seen. */
  readonly granted: Grant;
}

export type Outcome = Translation | { readonly fault: Fault | undefined };

/** Why a descent ended early, as bits of the error code: 0 is not present. */
type Descent = { readonly steps: readonly Step[]; readonly granted: Grant } | { readonly why: bigint };

const NOT_PRESENT = { why: 0n };

function rootOf({ registers, pdptrs }: Vcpu, shape: Shape, address: bigint): bigint | undefined {
  if (shape.mode !== "pae") return registers.cr3;
  const pdpte = (pdptrs ?? NO_PDPTRS)[Number((address >> 30n) & 3n)] ?? 0n;
  return isPresent(pdpte) ? pdpte : undefined;
}

function descend(vcpu: Vcpu, memory: TableMemory, shape: Shape, address: bigint): Descent {
  const { registers, features } = vcpu;
  let pointer = rootOf(vcpu, shape, address);
  if (pointer === undefined) return NOT_PRESENT;
  const steps: Step[] = [];
  let granted = ALL_RIGHTS;
  for (let level = shape.topLevel; ; --level) {
    const index = indexOf(shape, level, address);
    const gpa: bigint = tableOf(shape, pointer, features.stolen) + index * BigInt(shape.entryBytes);
    const entry = memory.read(gpa, shape.entryBytes);
    if (entry === undefined || !isPresent(entry)) return NOT_PRESENT;
    if (breaksReserved(shape, registers, features, entry, level))
      return { why: RESERVED_CODE | PRESENT_CODE };
    steps.push({ gpa, level, entry });
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

function translation(
  shape: Shape,
  features: Features,
  last: Step,
  address: bigint,
): Omit<Translation, "granted"> {
  const gpa = mappedAddress(shape, last.entry, last.level, address);
  const stolen = shape.entryBytes === 8 ? features.stolen : 0n;
  return { gpa, gfn: (gpa & ~stolen) >> PAGE_SHIFT, level: last.level };
}

function walkTables(vcpu: Vcpu, memory: TableMemory, shape: Shape, address: bigint, access: bigint): Outcome {
  const { registers, features } = vcpu;
  const failed = (why: bigint) => ({ fault: faultOf(registers, address, access, why) });
  for (;;) {
    const way = descend(vcpu, memory, shape, address);
    if ("why" in way) return failed(way.why);
    const last = way.steps.at(-1) as Step;
    const why = refusal(registers, way.granted, last.entry, access);
    if (why !== undefined) return failed(why);
    const update = setAccessedDirty(memory, shape, way.steps, access);
    if (update === "no-access") return failed(0n);
    if (update === "changed-meanwhile") continue;
    const write = way.granted.write && (has(access, WRITE) || has(last.entry, DIRTY));
    return { ...translation(shape, features, last, address), granted: { ...way.granted, write } };
  }
}

/** INVALID_GPA: where paging is off, that address is itself the answer for "none". */
const NO_ADDRESS = (1n << 64n) - 1n;

export function walk(vcpu: Vcpu, memory: TableMemory, address: bigint, access: bigint): Outcome {
  const mode = modeOf(vcpu.registers);
  if (mode !== "off") return walkTables(vcpu, memory, shapeOf(mode), address, access);
  if (address === NO_ADDRESS) return { fault: undefined };
  return { gpa: address, gfn: address >> PAGE_SHIFT, level: 0, granted: ALL_RIGHTS };
}
