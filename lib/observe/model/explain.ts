/** The first difference between a recording and the model, in words. */
import { bitNames, type EntryFormat, inWords } from "../entry.js";
import type { Line } from "../line.js";
import { claimOf } from "./claims.js";
import type { Deed } from "./story.js";

const hex = (value: number | bigint): string => value.toString(16);

export function nameOfDeed(format: EntryFormat, deed: Deed): string {
  if (deed.what === "fault") return claimOf(format, deed.fault);
  if (deed.what === "unmap") return `unmap of ${hex(deed.start)}..${hex(deed.end)}`;
  if (deed.what === "unknown") return "a change without a cause";
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
    const [a, b] = [inWords(format, recorded, level), inWords(format, ours, level)];
    if (a === b) continue;
    const [more, less] = [namesOf(format, recorded & ~ours), namesOf(format, ours & ~recorded)];
    const parts = [more && `has ${more}`, less && `lacks ${less}`].filter((part) => part !== "");
    return `${field} ${parts.join(" and ")}: the recording has ${a}, the model ${b}`;
  }
  return undefined;
}

const namesOf = (format: EntryFormat, bits: bigint): string => bitNames(format, bits).join(", ");
