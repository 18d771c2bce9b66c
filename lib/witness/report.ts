/** What a search for a witness comes to, as plain data: what `--json` prints, and text, trace and test are made from. */
import type { PageSize } from "../address.js";
import type { CheckStep } from "../check/world.js";
import type { FlushScope, OutcomeCode } from "../columns/layout.js";
import type { VmConfig } from "../config/types.js";

/** The rule that the witness is about, in its own words. */
export interface WitnessRule {
  readonly id: string;
  readonly kind: "violation" | "advisory";
  readonly sentence: string;
  /** What is lost where it is broken. */
  readonly reason: string;
  readonly source: string;
}

/** A memslot of the VM, as memslot files have it. */
export interface WitnessSlot {
  readonly slot: number;
  readonly gpa: string;
  readonly size: string;
  readonly flags: number;
  readonly hva: string;
  readonly backing: string;
}

/** The last entry on hardware's way to a page, before an event and after it: `4K RW- AD`, `none`. */
export interface WitnessChange {
  readonly alias: number;
  /** As issued. */
  readonly gpa: string;
  readonly before: string;
  readonly after: string;
}

/** One thing that happens, and what came of it. */
export interface WitnessStep {
  /** What it is, in a few words. */
  readonly says: string;
  /** Which vCPU does it; absent where the VMM or the host does. */
  readonly vcpu?: number;
  /** Which event of the trace it was; absent for what was in none. */
  readonly event?: number;
  /** As a call of the VM takes it. */
  readonly step: CheckStep;
  readonly outcome: OutcomeCode | "done";
  /** The widest flush that was asked for. */
  readonly flush: FlushScope;
  readonly flushedPages: number;
  readonly sptesChanged: number;
  readonly changes: readonly WitnessChange[];
}

export interface WitnessEntry {
  readonly level: number;
  /** A letter for each table; the same letter is the same table. */
  readonly table: string;
  readonly spte: string;
  readonly state: "leaf" | "link" | "mmio" | "blocked" | "none";
  /** `RWX`, with a dash for what is not granted. */
  readonly rights: string;
  readonly accessed: boolean;
  readonly dirty: boolean;
}

/** Hardware's way to a page through one alias, root first. */
export interface WitnessWay {
  readonly alias: number;
  readonly gpa: string;
  readonly root: "direct" | "private";
  readonly entries: readonly WitnessEntry[];
}

/** What a vCPU's TLB has for a page: a leaf held as so large a page, or a link on the way to it. */
export interface WitnessCached {
  readonly vcpu: number;
  readonly alias: number;
  readonly gpa: string;
  readonly holds: PageSize | "link";
  readonly level: number;
  readonly rights: string;
  /** Absent for a link. */
  readonly pfn?: string;
  readonly root: "direct" | "private";
  /** `overdue`: a flush that is over should have removed it; `unreachable`: of a root that was dropped. */
  readonly state: "usable" | "overdue" | "unreachable";
}

/** A page that the witness touches. */
export interface WitnessPage {
  /** Without alias bits. */
  readonly gpa: string;
  /** When all of it has happened. */
  readonly ways: readonly WitnessWay[];
  /** As the last step finds them: using an overdue translation settles it. */
  readonly cached: readonly WitnessCached[];
}

/** The trace that was searched. */
export interface WitnessTrace {
  readonly path: string;
  /** At which of its events the rule fired first. */
  readonly firstEvent: number;
}

/** The shortest way to a violation, or the shortest that there was time for. */
export interface WitnessReport {
  readonly schemaVersion: 1;
  readonly found: true;
  /** `strategy/flavour` */
  readonly run: string;
  readonly rule: WitnessRule;
  /** Id of the known defect behind it, `""` if it is none. */
  readonly defect: string;
  /** What happened, in one clause. */
  readonly reason: string;
  /** As issued by the event that broke the rule. */
  readonly gpa: string;
  /** Whether nothing can be left out or made simpler one thing at a time. */
  readonly minimal: boolean;
  /** Why it may not be minimal: time was up, or the signal came. */
  readonly ended?: "budget" | "aborted";
  /** Absent for a witness that is of no trace. */
  readonly trace?: WitnessTrace;
  /** Of the VM; `createVm(config)` makes it. */
  readonly config: VmConfig;
  /** Whether the rule is one that only an audit at the end sees. */
  readonly audit: boolean;
  readonly memslots: readonly WitnessSlot[];
  readonly steps: readonly WitnessStep[];
  /** At most four, that of the violation first. */
  readonly pages: readonly WitnessPage[];
  /** What it took: sequences that were tried, and their events. Absent where nothing was searched. */
  readonly search?: { readonly probes: number; readonly events: number };
  readonly timing: { readonly wallNs: number };
}

/** Nothing fired. It says nothing about what the trace does not do. */
export interface NoWitness {
  readonly schemaVersion: 1;
  readonly found: false;
  readonly run: string;
  /** The one rule that was looked for; absent if it was any. */
  readonly asked?: string;
  /** Of the whole trace. */
  readonly events: number;
  readonly path: string;
  /** Rules that could have fired in this VM, advisories too. */
  readonly judged: readonly string[];
  readonly timing: { readonly wallNs: number };
}
