import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { parquetReadObjects } from "hyparquet";
import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, test } from "vitest";
import { EventBatch, openTrace, TraceError, writeTrace } from "../../../lib/index.js";
import { everyEvent, randomEvents } from "../../support/every-event.js";
import { runSeed, seeded } from "../../support/random.js";
import { rejectionOf } from "../thrown.js";
import { hasAddon } from "../with-addon.js";
import { aFolder, rowsOf } from "./records.js";

async function* only(...batches: EventBatch[]): AsyncGenerator<EventBatch> {
  yield* batches;
}

describe.skipIf(!hasAddon)("parquet", () => {
  const file = aFolder();
  const opened = (bytes: Uint8Array) => openTrace(file("in.parquet", bytes));
  const read = async (bytes: Uint8Array) =>
    rowsOf((await opened(bytes)).batches({ extra: true, size: 4096 }));

  async function written(...batches: EventBatch[]): Promise<Buffer> {
    const path = file("out.parquet", "");
    await writeTrace(only(...batches), path, { format: "parquet" });
    return readFileSync(path);
  }

  test("every kind, word and highest number comes back as it was", async () => {
    const batch = everyEvent();
    const bytes = await written(batch);
    expect((await opened(bytes)).format).toBe("parquet");
    expect(await read(bytes)).toEqual(await rowsOf(only(batch)));
  });

  test("rows over three row groups come back as they were, in batches of any size", async () => {
    const batch = randomEvents(runSeed(), 150_000);
    const trace = await opened(await written(batch));
    const rows = await rowsOf(trace.batches({ extra: true, size: 1001 }));
    expect(rows).toEqual(await rowsOf(only(batch)));
    expect(trace.totals.records).toBe(150_000);
    expect(trace.readBytes).toBe(trace.storedBytes);
  }, 60_000);

  test("any reader of Parquet sees the columns, with types of SQL", async () => {
    const bytes = await written(everyEvent());
    const rows = await parquetReadObjects({ file: Uint8Array.from(bytes).buffer });
    const last = rows.find(({ vcpu }) => vcpu === 65_535);
    expect(last).toEqual({
      time: 143.423093,
      kind: "access",
      vcpu: 65_535,
      gpa: 2n ** 52n - 8n,
      bytes: 0n,
      errorCode: 2n ** 53n - 2n,
      access: "write",
      rip: 0xffff_ffff_8100_0001n,
    });
  });

  test("a stream and a compressed file are kept on disk and read the same", async () => {
    const bytes = await written(everyEvent());
    const whole = await read(bytes);
    const stream = await openTrace(Readable.from([bytes.subarray(0, 3), bytes.subarray(3)]));
    expect(await rowsOf(stream.batches({ extra: true }))).toEqual(whole);
    expect(await read(gzipSync(bytes))).toEqual(whole);
  });

  test("a file of another writer may lack columns and values, and what it has besides is counted", async () => {
    const columnData = [
      { name: "gpa", data: [4096, null, 12_288], type: "INT32", nullable: true },
      { name: "kind", data: ["access", "zap-all-fast", null], type: "STRING", nullable: true },
      { name: "access", data: [2, 0, 4], type: "INT32" },
      { name: "rip", data: [-1n, 0n, 5n], type: "INT64" },
      { name: "comm", data: ["a", "b", "c"], type: "STRING" },
    ] as const;
    const trace = await opened(
      new Uint8Array(
        parquetWriteBuffer({ columnData: columnData.map((c) => ({ ...c, data: [...c.data] })) }),
      ),
    );
    expect(await rowsOf(trace.batches({ extra: true }))).toEqual([
      [4096, 0, 0, 0, 0, 2, 0, 0xffff_ffff, 0xffff_ffff],
      [0, 0, 0, 0, 2, 0, 0, 0, 0],
      [12_288, 0, 0, 0, 0, 4, 0, 5, 0],
    ]);
    expect(trace.totals.skipped).toEqual({ "column comm": 1 });
  });

  const refused: readonly (readonly [ColumnSource[], string])[] = [
    [[{ name: "x", data: [1] }], "a column gpa or kind"],
    [
      [
        { name: "gpa", data: [2 ** 40 + 0.5], type: "DOUBLE" },
        { name: "access", data: ["write"] },
      ],
      "a gpa below 2^52",
    ],
    [
      [
        { name: "gpa", data: [-4096n] },
        { name: "access", data: ["write"] },
      ],
      "a gpa below 2^52",
    ],
    [
      [
        { name: "gpa", data: ["page 7"] },
        { name: "access", data: ["write"] },
      ],
      "gpa to be a hex string or a number",
    ],
    [[{ name: "gpa", data: [4096n] }], "an access that reads, writes or fetches"],
    [[{ name: "kind", data: ["fork"] }], "a kind of event"],
    [
      [
        { name: "gpa", data: [0n] },
        { name: "access", data: ["write"] },
        { name: "vcpu", data: [70_000] },
      ],
      "a vcpu",
    ],
  ];

  test.each(refused.map(([columns, expected]) => [expected, columns] as const))(
    "what is not %s is refused",
    async (expected, columnData) => {
      const text = new Uint8Array(parquetWriteBuffer({ columnData }));
      const error = await rejectionOf(read(text));
      expect(error).toMatchObject({ name: "TraceError", format: "parquet" });
      expect(error.message).toContain(`in.parquet: record 0`);
      expect(error.message).toContain(`expected ${expected}`);
    },
  );

  test("a file that is cut, or whose footer is not one, is refused with the byte", async () => {
    const bytes = await written(everyEvent());
    for (const length of [4, 11, 12, 100, bytes.length - 1]) {
      const error = await rejectionOf(read(bytes.subarray(0, length)));
      expect(error).toMatchObject({ name: "TraceError", format: "parquet" });
      expect(error.offset).toBeLessThanOrEqual(length);
    }
    const huge = Buffer.from(bytes);
    huge.writeUInt32LE(2 ** 32 - 1, bytes.length - 8);
    expect((await rejectionOf(read(huge))).message).toMatch(/a footer of at most \d+ bytes, not 4294967295/);
  });

  test("a footer that claims more than it has is refused before anything is allocated", async () => {
    // A list of 2^31 lists of 2^31 lists, and so on.
    const claims = Buffer.alloc(600);
    for (let at = 0; at < 600; at += 6) Buffer.from([0xf9, 0xff, 0xff, 0xff, 0xff, 0x07]).copy(claims, at);
    const footer = Buffer.concat([Buffer.from([0x19]), claims]);
    const tail = Buffer.alloc(8);
    tail.writeUInt32LE(footer.length, 0);
    tail.write("PAR1", 4);
    const before = process.memoryUsage().rss;
    const error = await rejectionOf(read(Buffer.concat([Buffer.from("PAR1"), footer, tail])));
    expect(error.message).toContain("expected a list within what is left");
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28);
  });

  test("damage anywhere gives rows or a TraceError, in bounded memory", async () => {
    const random = seeded(runSeed());
    const bytes = await written(everyEvent(), randomEvents(1, 200));
    for (let round = 0; round < 300; round++) {
      const damaged = Buffer.from(bytes);
      // The footer and the page headers matter most.
      const from = round % 2 === 0 ? 0 : bytes.length - 900;
      for (let change = 0; change <= round % 4; change++)
        damaged.writeUInt8(random.below(256), from + random.below(bytes.length - from));
      const ended = await openTrace(file("in.parquet", damaged), { format: "parquet" })
        .then((trace) => rowsOf(trace.batches({ extra: true, size: 256 })))
        .catch((error: unknown) => error);
      if (!Array.isArray(ended)) expect(ended).toBeInstanceOf(TraceError);
      else if (ended.length > 10_000) throw new Error(`round ${round}: ${ended.length} rows`);
    }
    expect(process.memoryUsage().rss).toBeLessThan(2 ** 31);
  }, 60_000);

  test("a row that could not be read back is not written", async () => {
    const batch = new EventBatch(2);
    batch.pushAccess(0, "read");
    batch.pushRow(0, 0.5, 0, 0, 2);
    const error = await rejectionOf(written(batch));
    expect(error).toMatchObject({ code: "ERR_TRACE", values: { row: 1, kind: 0 } });
    expect(error.message).toContain("expected a gpa below 2^52");
  });

  describe("binary to Parquet to NDJSON to binary is the identity", () => {
    async function through(source: string): Promise<[Buffer, Buffer]> {
      let from = source;
      const ends: Buffer[] = [];
      for (const format of ["binary", "parquet", "ndjson", "binary"]) {
        const path = file(`step-${ends.length}.${format}`, "");
        const trace = await openTrace(from);
        await writeTrace(trace.batches({ extra: true }), path, { format });
        ends.push(readFileSync(path));
        from = path;
      }
      return [ends[0] as Buffer, ends[3] as Buffer];
    }

    test("of a recorded guest", async () => {
      const head = file("head.bin", "");
      const boot = await openTrace("examples/boot-q35-2c-1g.faults.bin.br");
      await writeTrace(first(boot.batches({ extra: true, size: 50_000 })), head, { format: "binary" });
      const [before, after] = await through(head);
      expect(before.length).toBe(50_000 * 32);
      expect(after.equals(before)).toBe(true);
    }, 60_000);

    test("of every kind of event", async () => {
      const source = file("every.bin", "");
      const batch = everyEvent();
      // 32-byte records hold a range up to 2^52 and a time of at most 53 bits of nanoseconds.
      batch.count--;
      batch.time?.fill(0.25, batch.count - 1, batch.count);
      await writeTrace(only(batch), source, { format: "binary" });
      const [before, after] = await through(source);
      expect(after.equals(before)).toBe(true);
      expect(before.length).toBe(32 * batch.count);
    });
  });
});

async function* first(batches: AsyncIterable<EventBatch>): AsyncGenerator<EventBatch> {
  for await (const batch of batches) {
    yield batch;
    return;
  }
}

// Kept apart: how the file grows is what a reader of many gigabytes relies on.
test("a row group is handed on when it is full", async () => {
  const { parquetEncoder } = await import("../../../lib/trace/parquet/parquet-encoder.js");
  const encoder = await parquetEncoder();
  const parts = [...encoder.write(randomEvents(3, 131_073))];
  expect(parts).toHaveLength(2);
  const bytes = Buffer.concat([...parts, ...encoder.finish()]);
  expect(bytes.toString("latin1", bytes.length - 4)).toBe("PAR1");
}, 60_000);
