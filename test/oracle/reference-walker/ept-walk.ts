/**
 * KVM's walk of the EPT that L1 keeps for its guest: where in memory an address of L2 is,
 * or the exit that L1 gets. KVM: FNAME(walk_addr_generic) as compiled for EPT (v6.16).
 */
import { FETCH, type Grant, PRESENT_CODE, RESERVED_CODE, USER, WRITE } from "./access.js";
import { type Step, setAccessedDirty } from "./accessed-dirty.js";
import { has, PAGE_SHIFT } from "./bits.js";
import {
  addressInEpt,
  EPT_ACCESSED,
  EPT_DIRTY,
  EPT_RWX,
  eptIndexOf,
  grantOf,
  isLastInEpt,
  isMarking,
  isPresentInEpt,
  levelsOf,
  tableInEpt,
} from "./ept-entries.js";
import { type EptCapabilities, isForbiddenByEpt, isMisconfigured } from "./ept-rules.js";
import type { EptFault } from "./fault.js";
import type { Features } from "./features.js";
import type { PageModificationLog } from "./page-modification-log.js";
import type { TableMemory } from "./table-memory.js";

export interface Ept {
  readonly eptp: bigint;
  /** Of L1, whose MAXPHYADDR bounds the entries; a stolen bit has no meaning here. */
  readonly features: Features;
  readonly capabilities: EptCapabilities;
  /** Only if L1 turned it on. */
  readonly log?: PageModificationLog;
}

export interface EptTranslation {
  readonly gpa: bigint;
  readonly level: number;
  /** R in the place of U; W is kept back from a clean page where entries are marked. */
  readonly granted: Grant;
}

interface Descent {
  readonly steps: readonly Step[];
  /** R, W and X of every entry read, the one that failed among them. */
  readonly rwx: bigint;
  /** Bits of the error code; undefined if the walk came to a leaf. */
  readonly why?: bigint;
}

function descend({ eptp, features, capabilities }: Ept, memory: TableMemory, address: bigint): Descent {
  const steps: Step[] = [];
  let [pointer, rwx] = [eptp, EPT_RWX];
  for (let level = levelsOf(eptp); ; --level) {
    const table: bigint = tableInEpt(pointer);
    const gpa = table + eptIndexOf(level, address) * 8n;
    const entry = memory.read(gpa, 8);
    if (entry === undefined) return { steps, rwx, why: 0n };
    rwx &= entry;
    if (!isPresentInEpt(entry)) return { steps, rwx, why: 0n };
    if (isMisconfigured(features, capabilities, entry, level))
      return { steps, rwx, why: RESERVED_CODE | PRESENT_CODE };
    steps.push({ gpa, frame: table >> PAGE_SHIFT, level, entry });
    if (isLastInEpt(entry, level)) return { steps, rwx };
    pointer = entry;
  }
}

const SHIFT_OF_RIGHTS = 3n;
const READ_BIT = 1n;
const WRITE_BIT = 2n;
const FETCH_BIT = 4n;

/** KVM: the bits that FNAME(walk_addr_generic) rebuilds; a misconfiguration has none. */
function qualificationOf(access: bigint, rwx: bigint): bigint {
  const read = has(access, USER) ? READ_BIT : 0n;
  const write = has(access, WRITE) ? WRITE_BIT : 0n;
  const fetch = has(access, FETCH) ? FETCH_BIT : 0n;
  return read | write | fetch | (rwx << SHIFT_OF_RIGHTS);
}

/** No F in the code: neither NX nor SMEP is a notion of EPT. */
function eptFault(
  address: bigint,
  access: bigint,
  rwx: bigint,
  why: bigint,
  exit: EptFault["exit"],
): EptFault {
  const errorCode = why | (access & (WRITE | USER));
  const qualification = exit === "misconfiguration" ? 0n : qualificationOf(access, rwx);
  return { vector: 14, errorCode, address, nested: true, exit, qualification };
}

/** Accessed and Dirty, if L1 asked for them. */
function mark(
  ept: Ept,
  memory: TableMemory,
  steps: readonly Step[],
  address: bigint,
  access: bigint,
): ReturnType<typeof setAccessedDirty> {
  if (!isMarking(ept.eptp)) return "done";
  const { log } = ept;
  const format = { entryBytes: 8 as const, accessed: EPT_ACCESSED, dirty: EPT_DIRTY };
  const marks = log === undefined ? format : { ...format, logDirty: () => log.add(address) };
  return setAccessedDirty(memory, marks, steps, access);
}

function translation(ept: Ept, { steps, rwx }: Descent, address: bigint, access: bigint): EptTranslation {
  const last = steps.at(-1) as Step;
  const rights = grantOf(rwx);
  const dirty = !isMarking(ept.eptp) || has(access, WRITE) || has(last.entry, EPT_DIRTY);
  return {
    gpa: addressInEpt(last.entry, last.level, address),
    level: last.level,
    granted: { ...rights, write: rights.write && dirty },
  };
}

export function walkEpt(
  ept: Ept,
  memory: TableMemory,
  address: bigint,
  access: bigint,
): EptTranslation | { readonly fault: EptFault } {
  for (;;) {
    const way = descend(ept, memory, address);
    const failed = (why: bigint, exit: EptFault["exit"]) => ({
      fault: eptFault(address, access, way.rwx, why, exit),
    });
    if (way.why !== undefined)
      return failed(way.why, has(way.why, RESERVED_CODE) ? "misconfiguration" : "violation");
    if (isForbiddenByEpt(grantOf(way.rwx), access)) return failed(PRESENT_CODE, "violation");
    const marked = mark(ept, memory, way.steps, address, access);
    if (marked === "changed-meanwhile") continue;
    if (marked !== "done") return failed(0n, marked === "log-full" ? "log-full" : "violation");
    return translation(ept, way, address, access);
  }
}
