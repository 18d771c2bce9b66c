/**
 * What no entry can be: rights that KVM never combines, a frame that does not fit the level, a change to what was there.
 *
 * KVM: make_spte(), make_nonleaf_spte() and is_large_pte() in mmu/spte.[ch]; the table of writable states there.
 */
import type { Check, Scene } from "../check.js";
import { hex } from "../check.js";
import {
  type EntryFormat,
  framesOf,
  has,
  inWords,
  isFrozen,
  isLeaf,
  isMmio,
  isPresent,
  pfnOf,
} from "../entry.js";
import type { Changed, Line } from "../line.js";

const HIGHEST_LEVEL = 5;
/** Of 52 bits of address. */
const FRAMES = 2 ** 40;
const RIGHTS = 7n;
const WRITE_AND_EXEC = 6n;

function wrongWithLeaf(format: EntryFormat, spte: bigint, level: number): string | undefined {
  const [host, mmu, write] = [format.hostWritable, format.mmuWritable, format.write].map((mask) =>
    has(spte, mask),
  );
  if (level > 3) return "no leaf is larger than 1G";
  if (write && !mmu) return "it has W and not MMU-writable";
  if (mmu && !host) return "it is MMU-writable and not host-writable";
  if (!has(spte, 1n) && !has(spte, 4n) && format.vendor === "npt")
    return "it is present without the hardware's P";
  if (level > 1 && pfnOf(spte) % BigInt(framesOf(level)) !== 0n)
    return "its frame is not aligned to its level";
  return undefined;
}

/** KVM: kvm_mmu_set_ept_masks(): under EPT writable and executable and not readable, which no processor allows. */
function wrongWithMmio(format: EntryFormat, spte: bigint, level: number): string | undefined {
  if (level > 1) return "only entries of level 1 are MMIO entries";
  const isMarked = format.vendor === "npt" || (spte & RIGHTS) === WRITE_AND_EXEC;
  return isMarked ? undefined : "it is neither present, empty nor frozen, and has no mark of MMIO";
}

function wrongWith(format: EntryFormat, spte: bigint, level: number): string | undefined {
  if (isMmio(format, spte)) return wrongWithMmio(format, spte, level);
  if (!isPresent(format, spte)) return undefined;
  if (isLeaf(format, spte, level)) return wrongWithLeaf(format, spte, level);
  if (!has(spte, format.write)) return "a link to a table always has W";
  const software = [format.hostWritable, format.mmuWritable].some((mask) => has(spte, mask));
  return software ? "a link to a table is neither host-writable nor MMU-writable" : undefined;
}

/** Of a change; undefined if nothing is. */
function wrongWithChange(format: EntryFormat, { gfn, level, old, now }: Changed): string | undefined {
  if (level < 1 || level > HIGHEST_LEVEL) return `there are no tables of level ${level}`;
  if (gfn >= FRAMES) return "no guest-physical address has so many bits";
  if (gfn % framesOf(level) !== 0) return `it is not the first frame that an entry of level ${level} spans`;
  if (old === now) return "a change to what was there is never printed";
  for (const spte of [old, now]) {
    const wrong = wrongWith(format, spte, level);
    if (wrong !== undefined) return `${hex(spte)} is ${inWords(format, spte, level)}; ${wrong}`;
  }
  if (isFrozen(format, old)) return "a frozen entry is another thread's, and nobody changes it";
  if (!isLeaf(format, old, level)) return undefined;
  if (isMmio(format, now)) return "a leaf never becomes an MMIO entry without being zapped first";
  return isLeaf(format, now, level) ? wrongBetweenLeaves(format, old, now) : undefined;
}

function wrongBetweenLeaves(format: EntryFormat, old: bigint, now: bigint): string | undefined {
  const [was, is] = [hex(pfnOf(old)), hex(pfnOf(now))];
  if (was !== is)
    return `a leaf became a leaf of another frame (${was}, ${is}); the kernel would have stopped there`;
  return has(old ^ now, format.hostWritable)
    ? "host-writable changed while the leaf stayed present"
    : undefined;
}

function judge(scene: Scene, line: Line): void {
  if (line.event !== "changed") return;
  const wrong = wrongWithChange(scene.format, line);
  if (wrong === undefined) return;
  const why = `gfn ${hex(line.gfn)} level ${line.level}: ${wrong}`;
  scene.report({ severity: "error", confidence: "high", line: line.number, others: [], why });
}

const check: Check = {
  id: "impossible-entry",
  summary: "entries are what KVM can make of them, and change as it may",
  unable: ({ has: events }) =>
    events.has("changed") ? undefined : "the trace has no kvm_tdp_mmu_spte_changed",
  start: (scene) => ({ line: (line) => judge(scene, line) }),
};

export default check;
