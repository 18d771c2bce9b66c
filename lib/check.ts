/**
 * Everything that can happen in small worlds, tried: which rules a strategy
 * breaks there, each with the shortest way to it, and how far was looked.
 *
 * What is found is a proof. What is not found is none, beyond the bound that
 * the result names.
 */
import { availableParallelism } from "node:os";
import { collect } from "./check/collect.js";
import { loadOperationKinds } from "./check/operations.js";
import { exploreAll } from "./check/pool.js";
import type { CheckResult } from "./check/result.js";
import { worldsOf } from "./check/worlds.js";
import { booleanOf } from "./config/fields.js";
import { MmuError } from "./errors.js";
import { expectInteger, expectKeys, expectOneOf, wrongType } from "./expect.js";
import { loadAddon } from "./native/addon.js";
import type { NativeCoverage } from "./native/addon-types.js";
import { rules, strategies } from "./native/build-info.js";

export interface CheckOptions {
  /** A name that `strategies()` lists. */
  readonly strategy: string;
  /** @default "tdp" */
  readonly mmu?: "tdp" | "rmap";
  /** Most operations in a row: 1 to 12. @default 4 */
  readonly operations?: number;
  /** Most states of a world that are kept, some 40 bytes each: 1 to 100,000,000. @default 4,000,000 */
  readonly states?: number;
  /**
   * Audit after every operation and not only in every new state. For an engine that is itself in doubt: it may damage
   * what nobody sees yet. @default false
   */
  readonly auditsAll?: boolean;
  /**
   * A folder. What has been looked at is put aside there every few seconds, and a check with the same bound, of the
   * same version, goes on from it; made if it is not there. What is found does not depend on it; a few transitions more
   * are made. @default none
   */
  readonly resume?: string;
  /** Worlds that are looked at together: 1 to 256. @default one for each core */
  readonly threads?: number;
  readonly signal?: AbortSignal;
  /** Called at most some ten times a second for each thread. */
  readonly onProgress?: (progress: CheckProgress) => void;
}

export interface CheckProgress {
  readonly worlds: number;
  readonly worldsDone: number;
  /** Of all worlds together. */
  readonly states: number;
  readonly transitions: number;
}

const KEYS = [
  "strategy",
  "mmu",
  "operations",
  "states",
  "auditsAll",
  "resume",
  "threads",
  "signal",
  "onProgress",
] as const;

/**
 * Checks a strategy under a flavour: two vCPUs, two pages of one slot, every alias.
 *
 * @throws TypeError or RangeError with code `ERR_CONFIG`; MmuError `ERR_UNSUPPORTED` for a flavour that the strategy
 * does not have, `ERR_OUT_OF_MEMORY`, `ERR_IO` where `resume` cannot be used or holds a damaged file; the signal's reason
 */
export async function check(options: CheckOptions): Promise<CheckResult> {
  expectKeys("options", options, KEYS);
  const mmu = expectOneOf("mmu", options.mmu ?? "tdp", ["tdp", "rmap"]);
  const strategy = expectOneOf(
    "strategy",
    options.strategy,
    strategies().map(({ name }) => name),
  );
  const bound = {
    operations: expectInteger("operations", options.operations ?? 4, 1, 12),
    states: expectInteger("states", options.states ?? 4_000_000, 1, 100_000_000),
    auditsAll: booleanOf("auditsAll", options.auditsAll),
  };
  const threads = expectInteger("threads", options.threads ?? availableParallelism(), 1, 256);
  const folder = folderOf(options.resume);
  expectFlavour(strategy, mmu);
  const start = process.hrtime.bigint();
  const worlds = worldsOf(loadAddon(), await loadOperationKinds(), strategy, mmu);
  const onProgress = progressOf(worlds.length, options.onProgress);
  const explored = await exploreAll(worlds, { bound, threads, folder, signal: options.signal, onProgress });
  const advisories = new Set(rules().flatMap(({ id, kind }) => (kind === "advisory" ? [id] : [])));
  const answers = worlds.map((world, index) => ({
    world,
    explored: explored[index] as (typeof explored)[0],
  }));
  const result = collect(`${strategy}/${mmu}`, bound, answers, (rule) => advisories.has(rule));
  const wallNs = Number(process.hrtime.bigint() - start);
  const statesPerSecond = Math.round(result.states / (wallNs / 1e9));
  return { ...result, timing: { wallNs, statesPerSecond, threads } };
}

function folderOf(value: unknown): string | undefined {
  if (value === undefined || (typeof value === "string" && value !== "")) return value;
  throw wrongType("resume", "the path of a folder", value);
}

function expectFlavour(strategy: string, mmu: "tdp" | "rmap"): void {
  const info = strategies().find(({ name }) => name === strategy);
  if (info?.flavours.includes(mmu)) return;
  const has = info?.flavours.join(", ");
  throw new MmuError("ERR_UNSUPPORTED", `${strategy} has no flavour "${mmu}", only ${has}`, {
    errno: "EOPNOTSUPP",
  });
}

/** Adds up what the worlds say. */
function progressOf(worlds: number, report: CheckOptions["onProgress"]) {
  const coverages = new Map<number, NativeCoverage>();
  return (index: number, coverage: NativeCoverage): void => {
    coverages.set(index, coverage);
    const all = [...coverages.values()];
    report?.({
      worlds,
      worldsDone: all.filter(({ end }) => end !== "not-yet").length,
      states: all.reduce((sum, { states }) => sum + states, 0),
      transitions: all.reduce((sum, { transitions }) => sum + transitions, 0),
    });
  };
}
