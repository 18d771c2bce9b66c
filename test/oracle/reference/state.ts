/** Everything that one modelled VM holds, and how it starts. */

import type { AliasPolicy } from "./alias-policy.js";
import { AsyncPages } from "./async-pages.js";
import { Attributes } from "./attributes.js";
import type { DirtyRing } from "./dirty-ring.js";
import type { Range } from "./frames.js";
import type { Hole } from "./holes.js";
import { HostMemory } from "./host-memory.js";
import { HOST_DEFAULTS } from "./host-options.js";
import { limitsOf } from "./limits.js";
import { Logging } from "./logging.js";
import type { Mappings } from "./mappings.js";
import { Memslots } from "./memslots.js";
import { newPageLimit, type PageLimit } from "./page-limits.js";
import { policyNamed } from "./policies.js";
import { type Preset, presetNamed, shapeOf } from "./presets.js";
import { RememberedLinks } from "./remembered-links.js";
import { RmapMappings } from "./rmap-mappings.js";
import { type RootName, Shape } from "./shape.js";
import { addInternalSlots } from "./special-slots.js";
import { TdpMappings } from "./tdp-mappings.js";
import { Tlb } from "./tlb.js";
import { tlbShapeOf } from "./tlb-shape.js";
import type { FlushScope, FullConfig, ReferenceConfig } from "./types.js";
import { Windows } from "./windows.js";
import { WriteTracking } from "./write-tracking.js";

export interface Violation {
  readonly rule: string;
  count: number;
  readonly firstEvent: number;
}

export interface State {
  readonly config: FullConfig;
  readonly policy: AliasPolicy;
  readonly shape: Shape;
  readonly memslots: Memslots;
  readonly attributes: Attributes;
  readonly mappings: Mappings;
  /** The same, as what it is; the other flavour's is undefined. */
  readonly tdp: TdpMappings | undefined;
  readonly rmap: RmapMappings | undefined;
  /** One a vCPU; none if the TLB is not modelled. */
  readonly tlbs: readonly Tlb[];
  /** The same of links. */
  readonly links: readonly RememberedLinks[];
  /** How often each root was dropped. */
  readonly lives: Record<RootName, number>;
  /** Highest frame that KVM maps. */
  readonly maxGfn: number;
  /** First pfn of private memory's own pages: the upper half of them all. */
  readonly privateBase: number;
  readonly counters: Record<(typeof COUNTERS)[number], number>;
  readonly flush: { none: number; range: number; full: number; pages: number };
  /** Calls of the range provider, and asks of the external tables, over the VM's life. */
  readonly asked: { provider: number; external: number };
  readonly violations: Map<string, Violation>;
  readonly advisories: Map<string, Violation>;
  /** Aliases through which a frame of an internal slot was once answered `fixed`. */
  readonly internalFixes: Map<number, Set<number>>;
  readonly hostMemory: HostMemory;
  /** Ids. */
  readonly vcpus: Set<number>;
  /** By vCPU; of those made after rings were asked for. */
  readonly rings: Map<number, DirtyRing>;
  /** By vCPU: frames as issued, in the order of their writes. */
  readonly pml: Map<number, number[]>;
  coexisting: number;
  conversions: number;
  zappedPages: number;
  /** By vCPU. */
  readonly windows: Windows;
  readonly tracking: WriteTracking;
  readonly asyncPages: AsyncPages;
  /** By vCPU. */
  readonly holes: Map<number, Hole>;
  readonly pageLimit: PageLimit;
  readonly now: Now;
}

/** What is known of the event, or memslot call, that runs. */
export interface Now {
  /** Events before it. */
  number: number;
  /** A vCPU does it, by its own thread, so that nobody has to be sent for where it is alone. */
  isOfVcpu: boolean;
  scope: FlushScope;
  pages: number;
  /** By alias: from the lowest to the highest frame, as issued, that lost something since the last flush. */
  readonly taken: Map<number, Range>;
  /** Aliases through which hardware reached something of that too, as tables are shared. */
  readonly sharers: Set<number>;
}

const COUNTERS = [
  "pf_taken",
  "pf_fixed",
  "pf_emulate",
  "pf_spurious",
  "pf_fast",
  "pf_mmio_spte_created",
  "pf_guest",
  "exits",
  "mmio_exits",
  "insn_emulation",
  "remote_tlb_flush_requests",
  "remote_tlb_flush",
  "tlb_flush",
  "mmu_recycled",
] as const;

const DEFAULTS = {
  preset: "none",
  mmu: "tdp",
  flushProvider: "none",
  tlb: undefined,
  internalSlots: false,
  externalTables: "ok",
  convertOnExit: false,
  limitsPages: false,
  kernel: "6.16",
  dirtyRing: 0,
} as const;

export function newState(given: ReferenceConfig): State {
  const host = { ...HOST_DEFAULTS, ...given.host };
  const config = { ...DEFAULTS, ...given, host } as FullConfig;
  const [policy, preset] = [policyNamed(config.policy), presetNamed(config.preset)];
  refuseUnsupported(config, policy, preset);
  const shape = new Shape(policy, preset);
  const logging = new Logging(host.pml && host.adBits);
  const memslots = new Memslots(limitsOf(config, shape), logging);
  if (config.internalSlots) addInternalSlots(memslots);
  const tdp = config.mmu === "tdp" ? new TdpMappings(shape, config.rootLevel) : undefined;
  const rmap = config.mmu === "rmap" ? new RmapMappings(shape, memslots, config.rootLevel) : undefined;
  return {
    ...{ config, policy, shape, memslots, tdp, rmap },
    attributes: new Attributes(),
    mappings: (tdp ?? rmap) as Mappings,
    ...tlbsOf(config),
    lives: { direct: 0, private: 0 },
    maxGfn: 2 ** ((memslots.limits.rules.fixedGpaBits ?? config.hostMaxphyaddr) - 12) - 1,
    privateBase: 2 ** (config.hostMaxphyaddr - 13),
    counters: Object.fromEntries(COUNTERS.map((name) => [name, 0])) as State["counters"],
    flush: { none: 0, range: 0, full: 0, pages: 0 },
    asked: { provider: 0, external: 0 },
    ...{ violations: new Map(), advisories: new Map(), internalFixes: new Map() },
    ...{ vcpus: new Set(), rings: new Map(), pml: new Map() },
    ...{ coexisting: 0, conversions: 0, zappedPages: 0 },
    ...{ hostMemory: new HostMemory(), windows: new Windows() },
    ...{ tracking: new WriteTracking(), asyncPages: new AsyncPages(), holes: new Map() },
    pageLimit: newPageLimit(config.limitsPages),
    now: { number: 0, isOfVcpu: false, scope: "none", pages: 0, taken: new Map(), sharers: new Set() },
  };
}

function tlbsOf({ tlb, vcpus }: FullConfig): Pick<State, "tlbs" | "links"> {
  if (tlb === undefined) return { tlbs: [], links: [] };
  const { arrays, links } = tlbShapeOf(tlb);
  const each = Array.from({ length: vcpus });
  return { tlbs: each.map(() => new Tlb(arrays)), links: each.map(() => new RememberedLinks(links)) };
}

/** A test that asks for what no engine makes is wrong. */
function refuseUnsupported(config: FullConfig, policy: AliasPolicy, preset: Preset): void {
  const shape = shapeOf(preset) ?? config;
  const isShaped = shape.addressBits === config.addressBits && shape.rootLevel === config.rootLevel;
  const isSupported = policy.flavours.includes(config.mmu) && policy.presets.includes(preset.kind);
  const isProvided = policy.takesRangeProvider || config.flushProvider === "none";
  const isExternal = policy.externalTables || config.externalTables === "ok";
  if (!isShaped || !isSupported || !isProvided || !isExternal)
    throw new Error(`no such VM: ${JSON.stringify(config)}`);
}
