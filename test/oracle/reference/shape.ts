/**
 * A strategy over a preset: which form a frame takes where, which root an
 * address walks, what is private. Everything about one frame, nothing stored.
 */

import type { AliasPolicy } from "./alias-policy.js";
import { Aliases } from "./aliases.js";
import { frameOf, moved, PAGE_BYTES, type Range } from "./frames.js";
import type { Slot } from "./memslots.js";
import type { Preset } from "./presets.js";

export type RootName = "direct" | "private";

/** One root's frames that a range of memory has. */
export interface View {
  readonly root: RootName;
  readonly range: Range;
}

export class Shape {
  readonly aliases: Aliases;
  /** Alias 0 is private memory, the other is shared. */
  readonly hasPrivate: boolean;
  readonly hasPrivateRoot: boolean;

  constructor(
    readonly policy: AliasPolicy,
    readonly preset: Preset,
  ) {
    const { kind } = preset;
    this.aliases = new Aliases(policy.knowsAliases ? preset : { bits: [] });
    this.hasPrivate = policy.knowsAliases && kind === "private-shared";
    this.hasPrivateRoot = this.hasPrivate && policy.privateRoot;
  }

  /** The frame that hardware sees: SEV strips its bit before anything else. */
  issuedFrame(gpa: number): number {
    const bit = this.preset.kind === "stripped" ? (this.preset.bits[0] ?? 0) : undefined;
    return bit === undefined ? frameOf(gpa) : frameOf(gpa) % (2 ** bit / PAGE_BYTES);
  }

  isPrivate(issued: number): boolean {
    return this.hasPrivate && this.aliases.aliasOf(issued) === 0;
  }

  rootOf(issued: number): RootName {
    return this.hasPrivateRoot && this.isPrivate(issued) ? "private" : "direct";
  }

  roots(): RootName[] {
    return this.hasPrivateRoot ? ["direct", "private"] : ["direct"];
  }

  slotFrame(issued: number): number {
    return this.policy.slotFrames === "issued" ? issued : this.aliases.canonical(issued);
  }

  tableFrame(issued: number): number {
    return this.policy.tableFrames === "issued" ? issued : this.aliases.canonical(issued);
  }

  /** That alias of a canonical frame. */
  issue(canonical: number, alias: number): number {
    return canonical + this.aliases.offset(alias);
  }

  /** Whether this alias may only fetch, and the strategy says so in its leaves. */
  isExecuteOnly(issued: number): boolean {
    const { executeOnly } = this.preset;
    return this.policy.aliasRights && executeOnly && this.aliases.aliasOf(issued) === 1;
  }

  /** Where KVM's tables hold these frames of a memslot. */
  views(range: Range): View[] {
    const { tableFrames, slotFrames } = this.policy;
    if (tableFrames === "canonical" || slotFrames === "issued") return [{ root: "direct", range }];
    return this.aliases.all().map((alias) => {
      const shifted = moved(range, this.aliases.offset(alias));
      return { root: this.rootOf(this.aliases.offset(alias)), range: shifted };
    });
  }

  sees(slot: Slot, issued: number): boolean {
    const { internalSlots } = this.policy;
    if (slot.owner !== "kvm" || internalSlots === "every") return true;
    const isHome = this.aliases.aliasOf(issued) === 0;
    return internalSlots === "shared" && this.hasPrivate ? !isHome : isHome;
  }
}
