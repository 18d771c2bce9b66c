/**
 * What a GPA alias strategy decides, one row each. Everything else in the
 * model asks here and holds no opinion.
 */
import type { AliasPolicy } from "./alias-policy.js";
import type { PresetKind } from "./presets.js";
import type { Flavour } from "./types.js";

const both: readonly Flavour[] = ["tdp", "rmap"];
const any: readonly PresetKind[] = ["none", "attribute", "private-shared"];

const none: AliasPolicy = {
  flavours: both,
  presets: [...any, "stripped"],
  knowsAliases: false,
  slotFrames: "canonical",
  tableFrames: "issued",
  privateRoot: false,
  privatePages: "own",
  smallLeavesOnly: false,
  aliasRights: true,
  checksAttribute: false,
  privateToNothing: undefined,
  internalSlots: "every",
  onConflict: "ignore",
  onHostUnmap: "zap",
  privateZap: "plain",
  slotGone: "direct-roots",
  onConversion: "store",
  countsCoexisting: false,
  forbidsCoexisting: false,
  flushPlan: "as-given",
  takesRangeProvider: true,
  prefetchSkips: "nothing",
  externalTables: false,
};

const aware: AliasPolicy = { ...none, presets: any, knowsAliases: true, internalSlots: "home" };

const v5: AliasPolicy = {
  ...aware,
  tableFrames: "canonical",
  aliasRights: false,
  internalSlots: "every",
  countsCoexisting: true,
};

const exclusive: AliasPolicy = { ...aware, privateRoot: true, forbidsCoexisting: true };

export const policies: Readonly<Record<string, AliasPolicy>> = {
  none,
  "duplicate-slots": { ...aware, presets: ["none", "attribute"], slotFrames: "issued" },
  "stolen-bits": { ...aware, countsCoexisting: true, flushPlan: "both-aliases" },
  "stolen-bits-tdx": {
    ...exclusive,
    flavours: ["rmap"],
    presets: ["private-shared"],
    privatePages: "slot",
    smallLeavesOnly: true,
    privateToNothing: "error",
    onConflict: "zap-rmap",
    onHostUnmap: "block",
    privateZap: "blocked-first",
    flushPlan: "both-aliases",
    prefetchSkips: "private-or-mapped",
  },
  "role-private": {
    ...exclusive,
    flavours: ["tdp"],
    presets: ["private-shared"],
    privatePages: "slot",
    smallLeavesOnly: true,
    privateToNothing: "error",
    internalSlots: "shared",
    onConflict: "zap-leaf",
    onHostUnmap: "block",
    privateZap: "each-flushed",
    slotGone: "direct-roots-then-private",
    takesRangeProvider: false,
  },
  "v5-as-posted": { ...v5, flushPlan: "v5-as-posted" },
  "v5-as-reviewed": { ...v5, flushPlan: "v5-as-reviewed" },
  mirror: {
    ...exclusive,
    flavours: ["tdp"],
    presets: ["private-shared"],
    checksAttribute: true,
    privateToNothing: "memoryFault",
    internalSlots: "shared",
    onHostUnmap: "keep",
    slotGone: "leaves",
    onConversion: "zap-flush-all",
    takesRangeProvider: false,
    externalTables: true,
  },
  precise: {
    ...exclusive,
    checksAttribute: true,
    privateToNothing: "memoryFault",
    internalSlots: "shared",
    onHostUnmap: "keep",
    slotGone: "direct-roots-then-private",
    onConversion: "zap-flush-range",
    flushPlan: "live-aliases",
    prefetchSkips: "private",
  },
};

export function policyNamed(name: string): AliasPolicy {
  const policy = policies[name];
  if (policy === undefined) throw new Error(`no policy named ${name}`);
  return policy;
}
