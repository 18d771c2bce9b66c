// Workloads: what each is made of, and what a replay must say of it, derived by
// hand from its options.
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import {
  applyPlan,
  createVm,
  EVENT_KINDS,
  planReplay,
  type Replay,
  replay,
  type Synthesis,
  type SynthOptions,
  synthesize,
  workloads,
  writeTrace,
} from "../../../lib/index.js";
import { root } from "../../support/source-graph.js";
import { rejectionOf } from "../thrown.js";
import { rowsOf } from "../trace/records.js";
import { hasAddon } from "../with-addon.js";

const files = readdirSync(join(root, "lib/synth/workloads")).map((file) => file.replace(".ts", ""));
const MiB = 2 ** 20;
const SMALL: SynthOptions = { vcpus: 3, bytes: MiB, slots: 3, writeFraction: 4, iterations: 3, seed: 7 };
/** Columns of `rowsOf`. */
const [GPA, BYTES, VCPU, KIND, ACCESS] = [0, 1, 3, 4, 5];
const ACCESS_KIND = 0;
const kind = (name: (typeof EVENT_KINDS)[number]) => EVENT_KINDS.indexOf(name);
const HOST_KINDS = ["hva-invalidate", "hva-begin", "hva-end", "age", "test-age"].map((name) =>
  kind(name as "age"),
);

const rowsFor = async (trace: Synthesis) => rowsOf(trace.batches({ extra: true }));

async function hashOf(trace: Synthesis): Promise<string> {
  const hash = createHash("sha256");
  const sink = new Writable({
    write(chunk, _, done) {
      hash.update(chunk);
      done();
    },
  });
  await writeTrace(trace.batches({ extra: true }), sink, { format: "binary" });
  return hash.digest("hex").slice(0, 16);
}

async function replayed(trace: Synthesis, alias = {}): Promise<Replay> {
  const plan = await planReplay(trace, { memslots: trace.memslots, config: { alias } });
  using vm = createVm(plan.config);
  applyPlan(vm, plan);
  const { project, guesses } = plan;
  return await replay(vm, trace, { project, guesses, audit: 0 });
}

test("each file is a workload that has the file's name and says what it resembles", async () => {
  const all = await workloads();
  expect(all.map(({ name }) => name)).toEqual([...files].sort());
  for (const { summary, resembles } of all) expect(summary.length * resembles.length).toBeGreaterThan(0);
});

// Recorded traces, results and bug reports name a workload and its seed: a
// change of a hash is a change of what they mean.
const HASHES: Readonly<Record<string, string>> = {
  "access-tracking": "eba8cd3d944270b2",
  ballooning: "de6db1555599d087",
  "conversion-storm": "0289ce4addacdb13",
  "demand-paging": "bc0c6da801139264",
  "dirty-logging": "9be2e4b471dabd27",
  migration: "aa2e43553f708312",
  "slot-churn": "7cdb462a00d3206f",
  sparse: "60123578794a1ce7",
};

describe.each(files)("%s", (name) => {
  test("has the same bytes for the same options, for ever", async () => {
    expect(await hashOf(await synthesize(name, SMALL))).toBe(HASHES[name]);
  });

  test("has other events for another seed", async () => {
    const other = await synthesize(name, { ...SMALL, seed: 8 });
    expect(await hashOf(other)).not.toBe(HASHES[name]);
  });

  test("is the same in batches of any size, and when it is read again", async () => {
    const trace = await synthesize(name, SMALL);
    const whole = await rowsFor(trace);
    for (const size of [1000, 333]) expect(await rowsOf(trace.batches({ extra: true, size }))).toEqual(whole);
    expect(trace.totals.records).toBe(whole.length);
  });

  test("stops after as many events as it may have", async () => {
    const whole = await rowsFor(await synthesize(name, SMALL));
    for (const events of [1, 1000]) {
      const cut = await synthesize(name, { ...SMALL, events });
      expect(await rowsFor(cut)).toEqual(whole.slice(0, events));
    }
  });

  test("stays within its slots, and within the vCPUs that it was given", async () => {
    const trace = await synthesize(name, { ...SMALL, overlap: true });
    const alias = 2 ** trace.options.aliasBit;
    const canonical = (gpa: number) => (name === "conversion-storm" ? gpa % alias : gpa);
    for (const row of await rowsFor(trace)) {
      const [start = 0, bytes = 0] = [row[GPA], row[BYTES]];
      const isHost = HOST_KINDS.includes(row[KIND] as number);
      const isWhole = row[KIND] !== ACCESS_KIND && start === 0 && bytes === 0;
      const holds = trace.memslots.some((slot) => {
        const from = isHost ? slot.hva : slot.gpa;
        const at = isHost ? start : canonical(start);
        return at >= from && at + Math.max(bytes, 1) <= from + slot.bytes;
      });
      if (!isWhole && !holds) throw new Error(`outside of every slot: ${row}`);
      expect(row[VCPU]).toBeLessThan(3);
    }
  });

  test("times go up by a microsecond", async () => {
    const times = (await rowsFor(await synthesize(name, { ...SMALL, events: 2500 }))).map((row) => row[6]);
    expect(times).toEqual(times.map((_, index) => index / 1e6));
  });
});

describe.skipIf(!hasAddon)("a replay says of", () => {
  const pages = (3 * MiB) / 4096;

  test.each(["4K", "2M"] as const)(
    "demand-paging on %s: a first touch is a fault, once an iteration",
    async (backing) => {
      const options = { vcpus: 3, bytes: 2 * MiB, iterations: 2, offset: 2 ** 30, backing };
      const { input, outcomes, leaves } = await replayed(await synthesize("demand-paging", options));
      const first = backing === "4K" ? 3 * 512 : 3;
      expect(input.accesses).toBe(2 * 3 * 512);
      expect(outcomes).toEqual({ fixed: 2 * first, ...(backing === "2M" && { hit: 2 * (3 * 512 - 3) }) });
      expect(leaves["0x0"]?.[backing]).toBe(first);
    },
  );

  test("demand-paging with overlap: whoever comes first faults, the others hit", async () => {
    const trace = await synthesize("demand-paging", { vcpus: 3, bytes: MiB, overlap: true });
    expect((await replayed(trace)).outcomes).toEqual({ fixed: pages, hit: 2 * pages });
  });

  test("dirty-logging: every page that is written is in the next log, and faults again", async () => {
    const trace = await synthesize("dirty-logging", { ...SMALL, writeFraction: 1 });
    const { outcomes, dirtyRounds, config, violations } = await replayed(trace);
    expect(config.dirtyLog).toBe("off");
    expect(dirtyRounds).toMatchObject({ rounds: 3, pages: 3 * pages });
    expect(outcomes).toEqual({ fixed: pages + 3 * pages });
    expect(violations).toEqual([]);
  });

  test("dirty-logging, surveyed or only scanned: it is not logged from its first event, as it says when that begins", async () => {
    const trace = await synthesize("dirty-logging", SMALL);
    expect((await planReplay(trace)).dirtyLog).toBe(false);
    expect((await planReplay(trace, { memslots: trace.memslots, config: { vcpus: 3 } })).dirtyLog).toBe(
      false,
    );
  });

  test("dirty-logging with one write in four: the log has what was written, and the share is a quarter", async () => {
    const trace = await synthesize("dirty-logging", { ...SMALL, bytes: 8 * MiB });
    const rows = await rowsFor(trace);
    const enabled = rows.findIndex((row) => row[KIND] === kind("dirty-log-enable"));
    const writes = rows.slice(enabled).filter((row) => row[KIND] === ACCESS_KIND && row[ACCESS] === 2);
    expect((await replayed(trace)).dirtyRounds.pages).toBe(writes.length);
    expect(writes.length / (rows.length - enabled)).toBeCloseTo(0.25, 2);
  });

  test("access-tracking: idle pages are young again after each pass, and none faults twice", async () => {
    const trace = await synthesize("access-tracking", { ...SMALL, writeFraction: 1 });
    const { input, outcomes } = await replayed(trace);
    expect(input.byKind["age"]).toBe(2 * 3 * 3);
    expect(outcomes).toEqual({ fixed: pages, hit: 2 * 3 * pages });
  });

  test("slot-churn: everything faults again after each deletion", async () => {
    const { input, outcomes } = await replayed(await synthesize("slot-churn", SMALL));
    expect(input.byKind["zap-all-fast"]).toBe(3);
    expect(outcomes).toEqual({ fixed: 4 * pages });
  });

  test("ballooning: each page that was given back faults when it is used again, and no other", async () => {
    const trace = await synthesize("ballooning", { ...SMALL, bytes: 16 * MiB });
    const rows = await rowsFor(trace);
    const given = rows.filter((row) => row[KIND] === kind("hva-invalidate"));
    const back = given.reduce((sum, row) => sum + (row[BYTES] as number) / 4096, 0);
    expect((await replayed(trace)).outcomes).toEqual({ fixed: 16 * pages + back });
    expect(back / (3 * 16 * pages)).toBeGreaterThan(0.1);
    expect(back / (3 * 16 * pages)).toBeLessThan(0.4);
  });

  test("migration: each round logs the distinct pages that it wrote, fewer every time", async () => {
    const trace = await synthesize("migration", { ...SMALL, writeFraction: 1, iterations: 5 });
    const rows = await rowsFor(trace);
    const dirty: number[] = [];
    let written = new Set<number>();
    for (const row of rows.slice(rows.findIndex((each) => each[KIND] === kind("dirty-log-enable")))) {
      if (row[KIND] === ACCESS_KIND) written.add(row[GPA] as number);
      if (row[KIND] !== kind("dirty-log-get")) continue;
      dirty.push(written.size);
      written = new Set();
    }
    expect(dirty).toEqual([...dirty].sort((a, b) => b - a));
    expect(dirty).toHaveLength(5);
    const { dirtyRounds, violations } = await replayed(trace);
    expect(dirtyRounds).toMatchObject({ rounds: 5, pages: dirty.reduce((sum, each) => sum + each) });
    expect(violations).toEqual([]);
  });

  test.each(["mirror", "precise"])(
    "conversion-storm under %s: no memory fault and no violation",
    async (strategy) => {
      const trace = await synthesize("conversion-storm", { ...SMALL, iterations: 200 });
      const { input, outcomes, violations, config } = await replayed(trace, { preset: "tdx47", strategy });
      expect(config.project).toBe("as-recorded");
      expect(input.byKind["attributes"]).toBe(200);
      expect(Object.keys(outcomes).sort()).toEqual(["fixed", "hit"]);
      expect(violations).toEqual([]);
    },
  );

  test("sparse: 52 bits of addresses, and at least a table of leaves for each slot", async () => {
    const trace = await synthesize("sparse", { slots: 64, bytes: MiB });
    const { outcomes, config, tables } = await replayed(trace);
    expect(config.addressBits).toBe(52);
    expect(outcomes).toEqual({ fixed: 256 });
    expect(tables.byLevel["1"]).toBe(64);
    expect(Math.max(...trace.memslots.map(({ gpa }) => gpa))).toBeGreaterThan(2 ** 51);
  });
});

describe("options", () => {
  test("slots split the memory evenly, one behind the other", async () => {
    const { memslots } = await synthesize("demand-paging", {
      bytes: 4 * MiB,
      vcpus: 2,
      slots: 4,
      offset: MiB,
    });
    expect(memslots.map(({ id, gpa, bytes }) => [id, gpa / MiB, bytes / MiB])).toEqual([
      [0, 1, 2],
      [1, 3, 2],
      [2, 5, 2],
      [3, 7, 2],
    ]);
  });

  test("percent and fraction say the same in two ways", async () => {
    const fraction = await synthesize("demand-paging", { bytes: MiB, writeFraction: 4 });
    const percent = await synthesize("demand-paging", { bytes: MiB, writePercent: 25 });
    expect(await rowsFor(percent)).toEqual(await rowsFor(fraction));
    const none = await rowsFor(await synthesize("demand-paging", { bytes: MiB, writePercent: 0 }));
    expect(new Set(none.map((row) => row[ACCESS]))).toEqual(new Set([1]));
  });

  test.each([
    ["no-such", {}, /workload must be one of/],
    ["migratoin", {}, /did you mean migration/],
    ["sparse", { byts: 4096 }, /did you mean bytes/],
    ["sparse", { bytes: 4095 }, /bytes must be an integer from 4096|a multiple of 4096/],
    ["sparse", { bytes: 6000 }, /a multiple of 4096/],
    ["sparse", { bytes: 2 ** 52 }, /at most 2147483648 pages/],
    ["sparse", { vcpus: 0 }, /vcpus must be an integer from 1/],
    ["sparse", { vcpus: "2" }, /vcpus must be an integer/],
    ["slot-churn", { slots: 3 }, /slots must be a divisor of the guest's 16384 pages/],
    ["slot-churn", { offset: 2 ** 52 - 4096 }, /offset must be at most/],
    ["slot-churn", { backing: "8K" }, /backing must be/],
    ["slot-churn", { overlap: 1 }, /overlap must be true or false/],
    ["slot-churn", { writeFraction: 0 }, /writeFraction must be an integer from 1/],
    ["slot-churn", { writeFraction: 2, writePercent: 50 }, /writePercent must be left out/],
    ["slot-churn", { seed: -1 }, /seed must be an integer from 0/],
    ["slot-churn", { events: 0 }, /events must be an integer from 1/],
  ])("%s with %j is refused", async (name, options, sentence) => {
    const error = await rejectionOf(synthesize(name, options as SynthOptions));
    expect(error.code).toBe("ERR_CONFIG");
    expect(error.message).toMatch(sentence);
  });

  test("a signal ends the making of events that would go on for days", async () => {
    const trace = await synthesize("slot-churn", { iterations: 2 ** 32 });
    const abort = new AbortController();
    const reading = (async () => {
      for await (const batch of trace.batches({ signal: abort.signal })) if (batch.count > 0) abort.abort();
    })();
    expect((await rejectionOf(reading)).code).toBe("ERR_ABORTED");
  });
});
