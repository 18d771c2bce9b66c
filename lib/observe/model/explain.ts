/** The first difference between a recording and the model, in words. */
import { bitNames, type EntryFormat, inWords, isPresent } from "../entry.js";
import type { Line } from "../line.js";
import { claimOf } from "./claims.js";
import type { Deed } from "./story.js";

const hex = (value: number | bigint): string => value.toString(16);

export function nameOfDeed(format: EntryFormat, deed: Deed): string {
  if (deed.what === "fault") return claimOf(format, deed.fault);
  if (deed.what === "unmap") return `unmap of ${hex(deed.start)}..${hex(deed.end)}`;
  if (deed.what === "unknown") return "a change without a cause";
  if (deed.what === "misconfig") return `an access to a stale MMIO entry, gfn ${hex(deed.gfn)}`;
  const names = { "slot goes": "a slot that goes", log: "a dirty log that is switched on or taken" };
  return `${names[deed.what]}, at gfn ${hex(deed.gfn)}`;
}

/** Why a line of either side is not the other's. */
export function explain(format: EntryFormat, recorded: Line | undefined, ours: Line | undefined): string {
  if (ours === undefined)
    return "the model is done by then, and prints nothing more: the line is one too many";
  if (recorded === undefined) return "the recording ends there, and the model goes on: a line is missing";
  if (recorded.event !== ours.event) {
    return "the model prints another kind of line there: a line is missing, or one too many";
  }
  return fieldsThatDiffer(format, recorded, ours) ?? "the model prints something else there";
}

function fieldsThatDiffer(format: EntryFormat, recorded: Line, ours: Line): string | undefined {
  if (recorded.event === "changed" && ours.event === "changed") {
    const { level } = recorded;
    if (recorded.asId !== ours.asId)
      return `the address space differs: as id ${recorded.asId}, not ${ours.asId}`;
    if (recorded.level !== level || ours.level !== level || recorded.gfn !== ours.gfn) {
      return `the place differs: the model is at gfn ${hex(ours.gfn)} level ${ours.level} by then, so a line is missing, altered or one too many`;
    }
    return entriesThatDiffer(format, level, [
      ["old_spte", recorded.old, ours.old],
      ["new_spte", recorded.now, ours.now],
    ]);
  }
  if (recorded.event === "set" && ours.event === "set") {
    if (recorded.rights !== ours.rights) return `rights differ: ${recorded.rights}, not ${ours.rights}`;
    return entriesThatDiffer(format, recorded.level, [["spte", recorded.spte, ours.spte]]);
  }
  return undefined;
}

type Pair = readonly [field: string, recorded: bigint, ours: bigint];

function entriesThatDiffer(format: EntryFormat, level: number, pairs: readonly Pair[]): string | undefined {
  for (const [field, recorded, ours] of pairs) {
    if (inWords(format, recorded, level) === inWords(format, ours, level)) continue;
    const isBits = isPresent(format, recorded) && isPresent(format, ours);
    return `${field} ${isBits ? bitsThatDiffer(format, recorded, ours) : kindsThatDiffer(format, level, recorded, ours)}`;
  }
  return undefined;
}

function bitsThatDiffer(format: EntryFormat, recorded: bigint, ours: bigint): string {
  const [more, less] = [bitNames(format, recorded & ~ours), bitNames(format, ours & ~recorded)];
  const parts = [
    more.length > 0 ? `has ${more.join(", ")} and the model's has not` : "",
    less.length > 0 ? `lacks ${less.join(", ")} and the model's has it` : "",
  ].filter((part) => part !== "");
  if (parts.length === 0) return "has bits without a name that the model's has not";
  const [first = ""] = [...less, ...more];
  const law = LAWS[first];
  return law === undefined ? parts.join("; ") : `${parts.join("; ")}: ${law}`;
}

function kindsThatDiffer(format: EntryFormat, level: number, recorded: bigint, ours: bigint): string {
  const kind = (spte: bigint): string => inWords(format, spte, level).split(" ", 1)[0] as string;
  return `says ${kind(recorded)} and the model's ${kind(ours)}`;
}

/** What decides about a bit. KVM: make_spte() and make_nonleaf_spte(), v6.16. */
const LAWS: Readonly<Record<string, string>> = {
  W: "a leaf has W where host and guest may write and nothing protects it",
  X: "a leaf has X unless it is huge and the workaround of iTLB multihit is on",
  A: "an entry is made accessed unless it is made ahead of any access",
  D: "make_spte() sets D together with W, and PML's clearing takes D alone",
  PS: "a leaf above level 1 has PS, and nothing else has",
  "host-writable": "it says whether the host lets KVM write to the page, and stays as it is",
  "MMU-writable": "it says that W may come back without a lock, and goes where a page is shadowed",
  "MMU-present": "every entry that maps or links something has it",
  "suppress-#VE": "entries of newer kernels have it, present or not",
  "A/D-type-0": "it says that the hardware sets no Accessed and Dirty",
};
