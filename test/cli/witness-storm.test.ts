/** A violation planted in the middle of a storm, found and made short: the head of the storm always, all of it when asked. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { WitnessReport } from "../../lib/index.js";
import { findCapture } from "../support/capture.js";
import { type Planted, plant } from "../support/planted.js";
import { isLongRun } from "../support/random.js";
import { aFolder } from "../unit/trace/records.js";
import { gpaliasJson, STORM_HEAD } from "./run-cli.js";

const ALIAS = 2n ** 47n;
const PAGE = 0x3000000n;
const TWO_MINUTES = 120_000;
const MOST_STEPS = 10;

const whole = findCapture("storm-q35-2c-1g.faults.bin.br");
const captures = [
  ["the head of the storm", STORM_HEAD, true],
  ["the whole storm (GPALIAS_LONG)", whole && fileURLToPath(whole), isLongRun],
] as const;

/** The guest's own events use one alias: they can neither be stale through the other nor be lost there. */
const LOST: readonly Planted[] = [
  { gpa: ALIAS + PAGE, code: 2, vcpu: 1 },
  { marker: 2 },
  { gpa: ALIAS + PAGE, code: 2, vcpu: 1 },
];

/** Two pages far from each other: what is near the violation does not show it. */
const SHARED: readonly Planted[] = [
  { gpa: ALIAS + PAGE, code: 2, vcpu: 1 },
  { gpa: PAGE + 0x800000n, code: 2 },
];

interface Plot {
  readonly name: string;
  readonly run: string;
  readonly rule: string;
  readonly defect: string;
  readonly planted: readonly Planted[];
  readonly options: readonly string[];
}

const plots: readonly Plot[] = [
  {
    ...{ name: "a second flush that fails", run: "stolen-bits/tdp", rule: "dirty-lost", defect: "B14" },
    ...{ planted: LOST, options: ["--tlb", "--flush-provider", "fail:2"] },
  },
  {
    ...{ name: "a flush of one alias alone", run: "v5-as-posted/rmap", rule: "dirty-lost", defect: "D2" },
    ...{ planted: LOST, options: ["--tlb", "--flush-provider", "hyperv"] },
  },
  {
    ...{ name: "a table of two aliases", run: "v5-as-posted/rmap", rule: "alias-shared-leaf", defect: "D1b" },
    ...{ planted: SHARED, options: [] },
  },
];

describe.each(captures)("in %s", (_, path, isAsked) => {
  const file = aFolder();

  test.skipIf(!isAsked || !path).each(plots)(
    "$name is shown by at most ten events, in less than two minutes",
    { timeout: 2 * TWO_MINUTES },
    async ({ run, rule, defect, planted, options }) => {
      const trace = file("planted.faults.bin", "");
      const first = plant(path as string, trace, planted);
      copyFileSync((path as string).replace(".faults.bin.br", ".json"), join(trace, "../planted.json"));
      const asked = [trace, "--run", run, "--rule", rule, "--alias", "bits:47", "--vcpus", "2", ...options];
      const found: WitnessReport = await gpaliasJson(["witness", ...asked]);
      expect([found.rule.id, found.defect, found.minimal]).toEqual([rule, defect, true]);
      expect(found.trace?.firstEvent).toBeGreaterThanOrEqual(first);
      expect(found.trace?.firstEvent).toBeLessThan(first + planted.length);
      expect(found.steps.length).toBeLessThanOrEqual(MOST_STEPS);
      expect(found.timing.wallNs / 1e6).toBeLessThan(TWO_MINUTES);
    },
  );
});
