/**
 * What the host of a recording was like, guessed from its lines.
 *
 * Each property has a sign in the entries: a leaf that loses D and keeps W is PML's, a huge leaf without X the workaround
 * of iTLB multihit, five ones on top of an MMIO entry's frame are L1TF's. Whatever is guessed can be said instead.
 */
import type { TraceRelease, Vendor, VmConfig } from "../../config/types.js";
import { type EntryFormat, has, isLeaf, isMmio, isPresent } from "../entry.js";
import type { Guess } from "../guess-format.js";
import type { Changed, Line } from "../line.js";

/** Properties that may be said instead of guessed. */
export interface HostFacts {
  readonly vendor?: Vendor;
  readonly release?: TraceRelease;
  readonly pml?: boolean;
  readonly adBits?: boolean;
  readonly nxHugePages?: boolean;
  readonly l1tf?: boolean;
  readonly maxphyaddr?: number;
  readonly rootLevel?: 4 | 5;
}

export type HostGuess = { readonly [K in keyof Required<HostFacts>]: Guess<NonNullable<HostFacts[K]>> };

const bit = (n: number): bigint => 1n << BigInt(n);
const AD_DISABLED = bit(52);
const DEFAULT_WIDTH = 46;
const L1TF_BITS = 5;

type Sign = (format: EntryFormat, line: Changed) => boolean | undefined;

const losesDirtyAlone: Sign = (format, { old, now, level }) => {
  if (!isLeaf(format, old, level) || !isLeaf(format, now, level)) return undefined;
  const lost = old & ~now;
  if (has(lost, format.write)) return has(lost, format.mmuWritable) || level > 1 ? undefined : false;
  return has(lost, format.dirty) ? true : undefined;
};

const hasAdBits: Sign = (format, { now, level }) =>
  isPresent(format, now) && isLeaf(format, now, level) ? (now & AD_DISABLED) === 0n : undefined;

const hugeWithoutExec: Sign = (format, { now, old, level }) => {
  if (level === 1 || !isLeaf(format, now, level) || isPresent(format, old)) return undefined;
  return format.vendor === "ept" ? !has(now, bit(2)) : has(now, bit(63));
};

/** The highest bit of an MMIO entry's frame, if the five from it down are set. */
function l1tfWidth(format: EntryFormat, lines: readonly Changed[]): number | undefined {
  for (const { now, level } of lines) {
    if (level !== 1 || !isMmio(format, now) || format.vendor !== "ept") continue;
    const frame = BigInt.asUintN(52, now) >> 12n;
    const top = frame.toString(2).length + 12;
    const ones = ((bit(L1TF_BITS) - 1n) << BigInt(top - L1TF_BITS)) >> 12n;
    return (frame & ones) === ones && top >= 36 ? top : undefined;
  }
  return undefined;
}

function voted(
  sign: Sign,
  format: EntryFormat,
  lines: readonly Changed[],
  otherwise: boolean,
  says: readonly [yes: string, no: string],
): Guess<boolean> {
  for (const line of lines) {
    const value = sign(format, line);
    if (value === undefined) continue;
    return { value, confidence: "high", why: `line ${line.number}: ${says[value ? 0 : 1]}` };
  }
  return { value: otherwise, confidence: "none", why: "no line tells" };
}

/** Of a trace whose entries are of this format. */
export function guessHost(format: Guess<EntryFormat>, lines: readonly Line[]): HostGuess {
  const changes = lines.filter((line): line is Changed => line.event === "changed");
  const { value, confidence, why } = format;
  const width = l1tfWidth(value, changes);
  const level = changes.some((line) => line.level === 5) ? 5 : 4;
  return {
    vendor: { value: value.vendor === "ept" ? "intel" : "amd", confidence, why },
    release: { value: value.release, confidence, why },
    pml: voted(losesDirtyAlone, value, changes, false, ["a leaf lost D alone", "a leaf lost W"]),
    adBits: voted(hasAdBits, value, changes, true, ["its A/D type is enabled", "its A/D type is disabled"]),
    nxHugePages: voted(hugeWithoutExec, value, changes, false, [
      "a huge leaf cannot be executed",
      "a huge leaf can be executed",
    ]),
    l1tf: {
      value: width !== undefined,
      confidence: width === undefined ? "none" : "high",
      why: width === undefined ? "no line tells" : "an MMIO entry has ones on top",
    },
    maxphyaddr: {
      value: width ?? (level === 5 ? 52 : DEFAULT_WIDTH),
      confidence: width === undefined ? "none" : "high",
      why: width === undefined ? "no line tells" : "where the ones of an MMIO entry end",
    },
    rootLevel: {
      value: level,
      confidence: changes.length > 0 ? "high" : "none",
      why: "the highest level of a change",
    },
  };
}

/** What was said in place of what was guessed. */
export function withFacts(guess: HostGuess, facts: HostFacts): HostGuess {
  const said = Object.entries(facts).filter(([, value]) => value !== undefined);
  const given = said.map(([name, value]) => [name, { value, confidence: "given", why: "it was said" }]);
  return { ...guess, ...Object.fromEntries(given) };
}

/** A VM on such a host. */
export function vmConfigOf(host: HostGuess, vcpus: number): VmConfig {
  const width = host.maxphyaddr.value;
  return {
    addressBits: host.rootLevel.value === 5 ? Math.max(width, 49) : Math.min(width, 48),
    hostMaxphyaddr: width,
    rootLevel: host.rootLevel.value,
    vcpus,
    kernel: host.release.value === "5.10" ? "5.10" : "6.16",
    host: {
      vendor: host.vendor.value,
      pml: host.pml.value,
      adBits: host.adBits.value,
      nxHugePages: host.nxHugePages.value,
      l1tf: host.l1tf.value,
    },
  };
}
