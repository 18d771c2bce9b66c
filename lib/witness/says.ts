/** What happens, in the words of the field and as few as there can be. */
import { formatGpa, GiB, KiB, MiB } from "../address.js";
import type { CheckStep } from "../check/world.js";
import { ACCESS_BITS, ATTRIBUTE_BITS } from "../columns/event-batch.js";
import type { EventKind } from "../columns/layout.js";
import { MEMSLOT_FLAGS } from "../memslot-numbers.js";
import type { EventStep, SlotStep } from "./story.js";

/** Tells the alias of a gpa from the page. */
export interface Aliases {
  /** Bytes below every alias bit. */
  readonly bytes: number;
  readonly count: number;
}

/** `write 0x200000 alias 1` */
export function stepSays(step: CheckStep, aliases: Aliases): string {
  if (step.is === "mtrr") return `MTRR ${formatGpa(step.msr)} := ${formatGpa(step.value)}`;
  if (step.is === "memslot") return slotSays(step);
  return SENTENCES[step.kind](step, aliases);
}

function slotSays({ slot, flags, gpa, bytes }: SlotStep): string {
  if (bytes === 0) return `slot ${slot}: delete`;
  const more = [
    flags & MEMSLOT_FLAGS.logDirty ? ", logged" : "",
    flags & MEMSLOT_FLAGS.readonly ? ", read-only" : "",
  ].join("");
  return `slot ${slot}: ${rangeSays(gpa, bytes)}${more}`;
}

/** `0x200000 alias 1` */
export function pageSays(gpa: number, { bytes, count }: Aliases): string {
  return count < 2 ? formatGpa(gpa) : `${formatGpa(gpa % bytes)} alias ${Math.floor(gpa / bytes)}`;
}

/** `[0x200000 +4K]` */
function rangeSays(gpa: number, bytes: number): string {
  return `${formatGpa(gpa)}+${sizeSays(bytes)}`;
}

export function sizeSays(bytes: number): string {
  for (const [unit, name] of [
    [GiB, "G"],
    [MiB, "M"],
    [KiB, "K"],
  ] as const) {
    if (bytes >= unit && bytes % unit === 0) return `${bytes / unit}${name}`;
  }
  return String(bytes);
}

/** `read`, `write`, `read+write` */
export function accessSays(access: number): string {
  const words = Object.entries(ACCESS_BITS).flatMap(([word, bit]) => (access & bit ? [word] : []));
  return words.join("+");
}

type Sentence = (step: EventStep, aliases: Aliases) => string;

const ranged =
  (words: string): Sentence =>
  ({ gpa, bytes }) =>
    `${words} ${rangeSays(gpa, bytes)}`;
/** Of every slot where there is no range. */
const everywhere =
  (words: string): Sentence =>
  ({ gpa, bytes }) =>
    bytes === 0 ? words : `${words} ${rangeSays(gpa, bytes)}`;
const plain = (words: string): Sentence => {
  return () => words;
};

const SENTENCES: Readonly<Record<EventKind, Sentence>> = {
  access: ({ access, gpa }, aliases) => `${accessSays(access)} ${pageSays(gpa, aliases)}`,
  zap: ranged("zap"),
  "zap-all-fast": plain("zap all"),
  "dirty-log-get": everywhere("dirty-log round"),
  "dirty-log-enable": everywhere("dirty logging on"),
  "dirty-log-disable": everywhere("dirty logging off"),
  "dirty-log-clear": everywhere("clear dirty log"),
  end: plain("end of log"),
  "hva-invalidate": ranged("host takes hva"),
  attributes: ({ access, ...step }, aliases) =>
    `${ranged("convert")({ access, ...step }, aliases)} to ${access & ATTRIBUTE_BITS.private ? "private" : "shared"}`,
  "hva-begin": ranged("host begins on hva"),
  "hva-end": ranged("host is done with hva"),
  age: ranged("host ages hva"),
  "test-age": ranged("host tests age of hva"),
  "dirty-ring-reset": plain("reset dirty rings"),
  "write-track-add": ranged("watch writes to"),
  "write-track-remove": ranged("watch no writes to"),
  prefault: ({ gpa, bytes }, aliases) => `prefault ${pageSays(gpa, aliases)}+${sizeSays(bytes)}`,
  "vcpu-tlb-flush": plain("flush own TLB"),
  "async-ready": plain("async page ready"),
  "nx-recover": plain("recover NX huge pages"),
};

/** Kinds that a vCPU does; the rest is the VMM's or the host's. */
const BY_VCPU: readonly EventKind[] = ["access", "prefault", "vcpu-tlb-flush", "async-ready"];

export const vcpuOf = (step: CheckStep): number | undefined =>
  step.is === "event" && BY_VCPU.includes(step.kind) ? step.vcpu : undefined;
