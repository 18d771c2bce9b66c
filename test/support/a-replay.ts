// A result made by hand, for tests of what is made from results.
import type { Replay } from "../../lib/index.js";

const INPUT: Replay["input"] = {
  path: "examples/fs.faults.bin.br",
  format: "binary",
  compression: "brotli",
  events: 218_532,
  accesses: 218_531,
  byKind: { access: 218_531, end: 1 },
  vcpus: 2,
  conversions: 16_384,
  firstTime: 0.04,
  lastTime: 104.04,
  skipped: {},
  verdict: "complete",
  lost: 0,
  gaps: [],
  backwards: 0,
  backwardsAt: [],
};

const CONFIG: Replay["config"] = {
  alias: { strategy: "precise", preset: "tdx47", bits: [47] },
  mmu: "tdp",
  addressBits: 48,
  rootLevel: 4,
  hostMaxphyaddr: 48,
  vcpus: 2,
  flushProvider: "hyperv",
  tlb: { entries: 1536, ways: 12 },
  internalSlots: false,
  guestPaging: "long",
  externalTables: "ok",
  convertOnExit: false,
  kernel: "6.16",
  host: {},
  project: "bounce",
  backing: "4K",
  dirtyLog: "off",
  memslots: [],
  guesses: [],
};

/** `run` is `strategy/flavour`; `change` replaces fields. */
export function aReplay(run: string, change: Partial<Replay> = {}): Replay {
  const [strategy = "", mmu = "tdp"] = run.split("/");
  return {
    schemaVersion: 1,
    run,
    engine: { version: "0.1.0" },
    input: INPUT,
    config: { ...CONFIG, alias: { ...CONFIG.alias, strategy }, mmu: mmu as "tdp" },
    outcomes: { fixed: 81_741, hit: 600, stuck: 12 },
    stats: { pf_taken: 98_126 },
    tables: {
      roots: 2,
      byLevel: { "1": 200, "2": 6, "3": 4, "4": 2 },
      bytes: 212 * 4096,
      engineBytes: 900_000,
    },
    leaves: {
      "0x0": { "4K": 65_000, "2M": 0, "1G": 0 },
      "0x800000000000": { "4K": 16_384, "2M": 0, "1G": 0 },
    },
    flush: { none: 31, range: 16_384, full: 7, pages: 1_234_567 },
    flushScopes: { attributes: { none: 3, range: 16_381, full: 0 } },
    dirty: {},
    operations: {},
    dirtyRounds: { rounds: 0, reaping: 0, pages: 0 },
    coexisting: 0,
    conversionsOnExit: 0,
    violations: [],
    advisories: [],
    judged: ["alias-left-mapped", "alias-stuck", "permission-leak", "stale-translation"],
    timing: { wallNs: 1e8, eventsPerSecond: 2e6, threads: 1, path: "avx2", batch: 65_536 },
    ...change,
  };
}

/** A rule that was broken, with every field. */
export function aViolation(rule: string, count: number): Replay["violations"][number] {
  const reason = "the guest makes no progress through this alias";
  return { rule, defect: "D1a", count, firstEvent: 41, gpa: "0x800000001000", reason };
}
