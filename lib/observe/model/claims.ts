/**
 * What a line claims, in words that two machines can agree on: addresses of tables, host frames and offsets in a page
 * are left out, and so is the generation of an MMIO entry, which counts the slots that a VMM ever changed.
 */
import { type EntryFormat, inWords, isMmio } from "../entry.js";
import type { Line } from "../line.js";

const hex = (value: number | bigint): string => value.toString(16);

const bits = (high: number, low: number): bigint => ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);
/** KVM: MMIO_SPTE_GEN_LOW and _HIGH. */
const GENERATION = bits(10, 3) | bits(62, 52);
const GENERATION_510 = bits(11, 3) | bits(62, 54);

function entry(format: EntryFormat, spte: bigint, level: number): string {
  if (!isMmio(format, spte)) return inWords(format, spte, level);
  const generation = format.release === "5.10" ? GENERATION_510 : GENERATION;
  return `mmio ${hex(spte & ~generation)}`;
}

export function claimOf(format: EntryFormat, line: Line): string {
  switch (line.event) {
    case "unmap":
      return `unmap ${hex(line.start)}..${hex(line.end)}`;
    case "fault":
      return `fault at gfn ${hex(Math.floor(line.address / 4096))}`;
    case "requested":
      return `requested gfn ${hex(line.gfn)} level ${line.level}${line.pfn === 1n << 63n ? ", no slot" : ""}`;
    case "changed":
      return `as id ${line.asId} gfn ${hex(line.gfn)} level ${line.level}: ${entry(format, line.old, line.level)} -> ${entry(format, line.now, line.level)}`;
    case "set":
      return `set gfn ${hex(line.gfn)} level ${line.level} ${line.rights}: ${entry(format, line.spte, line.level)}`;
    case "fast":
      return `fixed without a lock: gfn ${hex(Math.floor(line.address / 4096))}: ${entry(format, line.old, 1)} -> ${entry(format, line.now, 1)}, spurious ${line.spurious}, fixed ${line.fixed}`;
    case "mmio":
      return `mmio gfn ${hex(line.gfn)} access ${line.access}`;
    case "split":
      return `split gfn ${hex(line.gfn)} level ${line.level} errno ${line.error}: ${entry(format, line.spte, line.level)}`;
    case "page":
      return `new page gfn ${hex(line.gfn)} level ${line.level}: ${line.says}`;
    case "page goes":
      return `page goes gfn ${hex(line.gfn)} level ${line.level}: ${line.says}`;
    case "zap all":
      return "every root is invalidated";
    case "omitted":
      return `omitted gfn ${hex(line.gfn)}..${hex(line.last)} level ${line.level}`;
    case "gap":
      return line.lost === undefined ? "lines were left out" : `${line.lost} events were lost`;
    default:
      return line.event;
  }
}
