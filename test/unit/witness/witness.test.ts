/** The search from a trace to a witness: its laws on random traces, every known defect, and how it can be stopped. */

import { type Arbitrary, array, assert, asyncProperty, constantFrom, integer, record } from "fast-check";
import { describe, expect, test } from "vitest";
import {
  EVENT_KINDS,
  EventBatch,
  openTrace,
  type VmConfig,
  type WitnessReport,
  witness,
  witnessFiles,
  writeTrace,
} from "../../../lib/index.js";
import { firesIn } from "../../../lib/witness/live-story.js";
import type { Story } from "../../../lib/witness/story.js";
import { slotStepOf } from "../../../lib/witness/tell.js";
import { isLongRun, runSeed } from "../../support/random.js";
import { rejectionOf } from "../thrown.js";
import { aFolder } from "../trace/records.js";

const PAGE = 4096;
const ALIAS = 2 ** 47;
const SLOTS = [{ gpa: 0, bytes: 64 * PAGE, dirtyLog: true, hva: 2 ** 40 }] as const;

const file = aFolder();

type Event = readonly [
  kind: (typeof EVENT_KINDS)[number],
  gpa: number,
  bytes: number,
  vcpu: number,
  access: number,
];

/** A trace of these events. */
async function traceOf(events: readonly Event[], name = "random.bin") {
  const batch = new EventBatch(Math.max(events.length, 1));
  for (const [kind, gpa, bytes, vcpu, access] of events) {
    batch.pushRow(EVENT_KINDS.indexOf(kind), gpa, bytes, vcpu, access);
  }
  const path = file(name, "");
  const only = async function* () {
    yield batch;
  };
  await writeTrace(only(), path, { format: "binary" });
  return openTrace(path, { hash: false });
}

const storyOf = ({ config, memslots, steps }: WitnessReport): Story => ({
  config,
  slots: memslots.map(slotStepOf),
  steps: steps.map(({ step }) => step),
});

const targetOf = ({ rule, defect, audit }: WitnessReport) => ({ rule: rule.id, defect, byAudit: audit });

const found = (result: Awaited<ReturnType<typeof witness>>): WitnessReport => {
  if (!result.found) throw new Error("nothing was found");
  return result;
};

const bits = (strategy: string): NonNullable<VmConfig["alias"]> => ({ strategy, preset: "bits:47" });
const configs: readonly VmConfig[] = [
  { alias: bits("stolen-bits"), flushProvider: "fail:2", tlb: { entries: 16, ways: 4 } },
  { alias: bits("stolen-bits"), mmu: "rmap", flushProvider: "fail:4", tlb: true },
  { alias: bits("v5-as-posted"), mmu: "rmap", flushProvider: "hyperv", tlb: true, host: { adBits: false } },
  { alias: bits("v5-as-posted"), kernel: "5.10", tlb: { entries: 4, ways: 2 } },
];

const access = record({
  page: integer({ min: 0, max: 5 }),
  alias: integer({ min: 0, max: 1 }),
  vcpu: integer({ min: 0, max: 2 }),
  bit: constantFrom(1, 2, 3, 4),
}).map(({ page, alias, vcpu, bit }): Event => ["access", page * PAGE + alias * ALIAS + 8, 0, vcpu, bit]);

const operation: Arbitrary<Event> = constantFrom<Event>(
  ["dirty-log-get", 0, 0, 0, 0],
  ["zap-all-fast", 0, 0, 0, 0],
  ["zap", 0, 4 * PAGE, 0, 0],
  ["hva-invalidate", 2 ** 40 + PAGE, 2 * PAGE, 0, 0],
  ["vcpu-tlb-flush", 0, 0, 1, 0],
  ["dirty-log-disable", 0, 0, 0, 0],
  ["dirty-log-enable", 0, 0, 0, 0],
);

const traces = array(
  constantFrom(access, access, access, operation).chain((kind) => kind),
  {
    minLength: 1,
    maxLength: 120,
  },
);

describe("on random traces", () => {
  test("a witness shows its rule, nothing of it can be left out, and it is its own witness", {
    timeout: 120_000,
  }, async () => {
    let shown = 0;
    const law = asyncProperty(traces, constantFrom(...configs), async (events, config) => {
      const asked = {
        config: { ...config, vcpus: 3 },
        memslots: SLOTS,
        dirtyLog: "off",
        project: "as-recorded",
      } as const;
      const result = await witness(await traceOf(events), asked);
      if (!result.found) return;
      shown++;
      const [story, target] = [storyOf(result), targetOf(result)];
      expect(result.minimal).toBe(true);
      expect(firesIn(story, target)).toMatchObject({ rule: target.rule, defect: target.defect });
      for (const at of story.steps.keys()) {
        expect(firesIn({ ...story, steps: story.steps.toSpliced(at, 1) }, target)).toBeUndefined();
      }
      expect(await again(result)).toEqual(story);
    });
    await assert(law, { seed: runSeed(), numRuns: isLongRun ? 1000 : 60 });
    expect(shown).toBeGreaterThan(10);
  });
});

/** What comes of a witness that is saved, read, and made short once more. */
async function again(report: WitnessReport): Promise<Story> {
  const { trace } = await witnessFiles(report, "again.bin");
  const kept = await openTrace(file("again.bin", trace), { hash: false });
  const memslots = report.memslots.map(({ slot, gpa, size, flags, hva, backing }) => ({
    ...{ id: slot, gpa: Number(gpa), bytes: Number(size), hva: Number(hva), backing: backing as "4K" },
    ...{ dirtyLog: flags % 2 === 1, readonly: flags >= 2 },
  }));
  const asked = { config: report.config, memslots, dirtyLog: "off", project: "as-recorded" } as const;
  return storyOf(found(await witness(kept, { ...asked, rule: report.rule.id })));
}

describe("a search that is stopped", () => {
  const config = { alias: bits("stolen-bits"), flushProvider: "fail:2", tlb: true, vcpus: 1 } as const;
  const LOST: readonly Event[] = [
    ["access", ALIAS, 0, 0, 2],
    ["dirty-log-get", 0, 0, 0, 0],
    ["access", ALIAS, 0, 0, 2],
  ];
  const busy = Array.from({ length: 3000 }, (_, at): Event => ["access", (at % 60) * PAGE, 0, 0, 1]);
  const asked = { config, memslots: SLOTS, dirtyLog: "off", project: "as-recorded" } as const;

  test("gives the best so far, and says that it may not be the shortest", async () => {
    const stop = new AbortController();
    const trace = await traceOf([...busy, ...LOST, ...busy], "busy.bin");
    // The loop turns some thirty times before it is done.
    const onProgress = ({ events }: { events: number }) => {
      if (events > 0 && events < 10) stop.abort();
    };
    const result = await witness(trace, { ...asked, signal: stop.signal, onProgress });
    // A search of less than a turn of the loop cannot be stopped.
    if (found(result).minimal) return;
    expect(found(result)).toMatchObject({ ended: "aborted", rule: { id: "dirty-lost" } });
    expect(firesIn(storyOf(found(result)), targetOf(found(result)))).toBeDefined();
  });

  test("that has nothing to show yet is refused with ERR_ABORTED", async () => {
    const trace = await traceOf(LOST, "lost.bin");
    const signal = AbortSignal.abort();
    const error = await rejectionOf(witness(trace, { ...asked, signal }));
    expect(error.code).toBe("ERR_ABORTED");
  });
});

test.each([
  [{ rule: "alias-stuk" }, "(did you mean alias-stuck?)"],
  [{ budgetMs: 0 }, "budgetMs must be an integer from 1 to"],
  [{ audit: -1 }, "audit"],
  [{ rules: "alias-stuck" }, "did you mean rule?"],
])("%o is refused", async (options, sentence) => {
  const error = await rejectionOf(witness(await traceOf([["zap-all-fast", 0, 0, 0, 0]]), options as object));
  expect(error.message).toContain(sentence);
});
