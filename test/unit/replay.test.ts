import { availableParallelism } from "node:os";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  buildInfo,
  createVm,
  EventBatch,
  OutcomeBatch,
  openTrace,
  type Replay,
  type ReplayOptions,
  replay,
  type Vm,
} from "../../lib/index.js";
import { rejectionOf } from "./thrown.js";
import { aFolder, MARKER, type RawRecord, recordBytes, someRecords } from "./trace/records.js";
import { hasAddon } from "./with-addon.js";

const GiB = 2 ** 30;
const ROUND = { flags: MARKER + 2 };
const ZAP = { flags: MARKER + 1 };

/** First touches, a dirty-log round, writes again, a zap, reads, MMIO, a write to ROM, the end. */
function aStory(pages: number): RawRecord[] {
  const writes = someRecords(pages);
  const reads = writes.map((record) => ({ ...record, code: 4 }));
  const device = { gpa: 0xfee0_0000, code: 2 };
  const rom = [
    { gpa: 4 * GiB, code: 4 },
    { gpa: 4 * GiB, code: 3 },
  ];
  const all = [...writes, ROUND, ...writes, ZAP, ...reads, device, device, ...rom, { flags: MARKER + 3 }];
  return all.map((record, index) => ({ ...record, ns: 1000 * index }));
}

function aVm(): Vm {
  const vm = createVm({ vcpus: 2 });
  vm.memslots.add({ gpa: 0, bytes: GiB, dirtyLog: true });
  vm.memslots.add({ gpa: 4 * GiB, bytes: 4096, readonly: true });
  return vm;
}

describe.skipIf(!hasAddon)("replay", () => {
  const file = aFolder();
  const path = file("story.bin", recordBytes(aStory(100)));

  async function played(options: ReplayOptions = {}): Promise<Replay> {
    using vm = aVm();
    return await replay(vm, await openTrace(path), options);
  }

  test("the result has the documented shape, and every figure follows from the story", async () => {
    const { timing, engine, input, config, ...rest } = await played();
    expect(rest).toMatchObject({
      schemaVersion: 1,
      run: "none/tdp",
      outcomes: { fixed: 301, emulate: 3 },
      stats: { pf_fast: 100, pages_4k: 101, pf_mmio_spte_created: 1 },
      leaves: { "0x0": { "4K": 101, "2M": 0, "1G": 0 } },
      coexisting: 0,
      conversionsOnExit: 0,
      dirty: { "0": 100 },
      operations: { "zap-all-fast": 1, "dirty-log-get": 1 },
      violations: [],
      advisories: [],
      judged: [],
    });
    expect(input).toEqual({
      path,
      format: "binary",
      compression: "none",
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      events: 307,
      accesses: 304,
      byKind: { access: 304, "zap-all-fast": 1, "dirty-log-get": 1, end: 1 },
      vcpus: 2,
      conversions: 0,
      firstTime: 0,
      lastTime: 306e-6,
      skipped: {},
      verdict: "complete",
      lost: 0,
      gaps: [],
      backwards: 0,
      backwardsAt: [],
    });
    expect(config).toEqual({
      alias: { strategy: "none", preset: "none", bits: [] },
      mmu: "tdp",
      addressBits: 48,
      rootLevel: 4,
      hostMaxphyaddr: 48,
      vcpus: 2,
      flushProvider: "none",
      tlb: false,
      internalSlots: false,
      guestPaging: "long",
      externalTables: "ok",
      convertOnExit: false,
      kernel: "6.16",
      host: {},
      project: "as-recorded",
      backing: "4K",
      dirtyLog: "on",
      memslots: [
        { slot: 0, gpa: "0x0", size: "0x40000000", flags: 1, hva: "0x10000000000", backing: "4K" },
        { slot: 1, gpa: "0x100000000", size: "0x1000", flags: 2, hva: "0x10100000000", backing: "4K" },
      ],
      guesses: [],
    });
    expect(engine.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(timing).toMatchObject({
      threads: availableParallelism(),
      path: buildInfo()["replayPath"],
      batch: 65_536,
    });
    expect(timing.wallNs).toBeGreaterThan(0);
  });

  test("keys come in the documented order", async () => {
    expect(Object.keys(await played())).toEqual([
      "schemaVersion",
      "run",
      "engine",
      "input",
      "config",
      "outcomes",
      "stats",
      "tables",
      "leaves",
      "flush",
      "flushScopes",
      "dirty",
      "operations",
      "dirtyRounds",
      "coexisting",
      "conversionsOnExit",
      "violations",
      "advisories",
      "judged",
      "timing",
    ]);
  });

  test.each([1, 2, 3, 7, 64, 306, 307, 308])(
    "batches of %d events give the same result",
    async (batchSize) => {
      const { timing: _, ...whole } = await played();
      for (const threads of [2, 1]) {
        const { timing, ...cut } = await played({ batchSize, threads });
        expect(cut).toEqual(whole);
        expect(timing.batch).toBe(batchSize);
      }
    },
  );

  test("a compressed stream gives the same result but for what it is", async () => {
    const { timing: _, input, ...whole } = await played();
    using vm = aVm();
    const trace = await openTrace(Readable.from([gzipSync(recordBytes(aStory(100)))]));
    const { timing: __, input: other, ...streamed } = await replay(vm, trace);
    expect(streamed).toEqual(whole);
    expect(other).toMatchObject({ path: "stream", compression: "gzip", events: input.events });
    expect(other.sha256).not.toBe(input.sha256);
  });

  test("progress is told after each batch, up to the end and the whole file", async () => {
    const calls: [number, number | undefined][] = [];
    await played({ batchSize: 100, onProgress: (...call) => calls.push(call) });
    expect(calls.map(([events]) => events)).toEqual([100, 200, 300, 307]);
    expect(calls.at(-1)?.[1]).toBe(1);
  });

  test("guesses are reported as they were given", async () => {
    const guesses = [{ what: "memslots", value: "x", confidence: 0.5, why: "so" }];
    expect((await played({ guesses })).config.guesses).toEqual(guesses);
  });

  test("without a hash the result has none", async () => {
    using vm = aVm();
    const { input } = await replay(vm, await openTrace(path, { hash: false }));
    expect("sha256" in input).toBe(false);
  });

  test.each([
    [{ batchSize: 0 }, "batchSize must be an integer from 1 to 16777216, got 0"],
    [
      { project: "churn:3,1" },
      'project must be "as-recorded" where alias.preset is "none", which leaves no alias to choose, got "churn:3,1"',
    ],
    [{ batchsize: 1 }, 'replay has no key "batchsize"; did you mean batchSize?'],
  ])("%o is refused", async (options, sentence) => {
    const error = await rejectionOf(played(options as ReplayOptions));
    expect([error.code, error.message]).toEqual(["ERR_CONFIG", sentence]);
  });
});

describe.skipIf(!hasAddon)("a replay that ends early", () => {
  const file = aFolder();
  const path = file("long.bin", recordBytes(someRecords(50_000)));

  test("names the event that the VM cannot have, counted over the whole trace", async () => {
    const records = someRecords(1000).map((record, i) => (i === 777 ? { ...record, vcpu: 9 } : record));
    const trace = await openTrace(file("vcpu.bin", recordBytes(records)));
    for (const threads of [2, 1]) {
      using vm = aVm();
      const error = await rejectionOf(replay(vm, trace, { batchSize: 100, threads }));
      expect(error).toMatchObject({ code: "ERR_EVENT", values: { row: 777, applied: 700 } });
      expect(error.message).toMatch(/^event 777: /);
      expect(vm.stats()["pf_taken"]).toBe(700);
    }
  });

  test("at a damaged record has applied what came before its batch", async () => {
    const bytes = recordBytes(someRecords(1000));
    bytes.writeUInt32LE(0, 32 * 555 + 24);
    using vm = aVm();
    const error = await rejectionOf(replay(vm, await openTrace(file("bad.bin", bytes)), { batchSize: 100 }));
    expect(error).toMatchObject({ name: "TraceError", record: 555, values: { applied: 500 } });
    expect(vm.stats()["pf_taken"]).toBe(500);
  });

  test("by its signal counts the events before the stop, and the same VM replays again", async () => {
    using vm = aVm();
    const controller = new AbortController();
    const onProgress = (events: number) => {
      if (events >= 2000) controller.abort();
    };
    const trace = await openTrace(path);
    const running = replay(vm, trace, { batchSize: 1000, signal: controller.signal, onProgress });
    const error = await rejectionOf(running);
    const { applied } = error.values as { applied: number };
    expect(error.code).toBe("ERR_ABORTED");
    expect(error.message).toBe(`aborted after ${applied} events`);
    expect(applied).toBeGreaterThanOrEqual(2000);
    expect(applied).toBeLessThan(50_000);
    expect(vm.stats()["pf_taken"]).toBe(applied);
    expect((await replay(vm, trace)).input.events).toBe(50_000);
  });

  test("by a signal that fired before it applies nothing", async () => {
    using vm = aVm();
    const error = await rejectionOf(replay(vm, await openTrace(path), { signal: AbortSignal.abort() }));
    expect(error).toMatchObject({ code: "ERR_ABORTED", values: { applied: 0 } });
  });

  test("by closing the VM rejects with ERR_CLOSED", async () => {
    const vm = aVm();
    const onProgress = () => vm.close();
    const error = await rejectionOf(replay(vm, await openTrace(path), { batchSize: 1000, onProgress }));
    expect(error.code).toBe("ERR_CLOSED");
  });

  test("because the VM is running a batch of somebody else is refused with ERR_BUSY", async () => {
    using vm = aVm();
    const events = new EventBatch(2 ** 16);
    while (!events.isFull) events.pushAccess(events.count * 4096, "write");
    const trace = await openTrace(path);
    const run = vm.run(events, new OutcomeBatch(2 ** 16));
    expect((await rejectionOf(replay(vm, trace))).code).toBe("ERR_BUSY");
    await run;
    expect((await replay(vm, trace)).outcomes).toEqual({ hit: 50_000 });
  });

  test("because progress throws passes that error on", async () => {
    using vm = aVm();
    const onProgress = () => {
      throw new RangeError("mine");
    };
    const error = await rejectionOf(replay(vm, await openTrace(path), { batchSize: 1000, onProgress }));
    expect(error.message).toBe("mine");
    expect(vm.access(0, "read").result).toBe("hit");
  });
});
