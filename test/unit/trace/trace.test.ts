import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type EventBatch, openTrace } from "../../../lib/index.js";
import { NO_TOTALS } from "../../../lib/trace/trace-format.js";
import { rejectionOf, thrownBy } from "../thrown.js";
import { hasAddon } from "../with-addon.js";
import { aFolder, MARKER, recordBytes, rowsOf, someRecords } from "./records.js";

const LINE =
  "  CPU 0/KVM-7 [000] ..... 1.000001: kvm_page_fault: vcpu 0 rip 0x1 address 0x2000 error_code 0x182\n";

describe.skipIf(!hasAddon)("batches", () => {
  const file = aFolder();
  const records = [...someRecords(999), { ns: 10 ** 6, flags: MARKER + 3 }];
  const bytes = recordBytes(records);
  const plain = file("plain.bin", bytes);

  test("rows carry what the records say, extra columns included", async () => {
    const rows = await rowsOf((await openTrace(plain)).batches({ extra: true }));
    expect(rows[3]).toEqual([3 * 4096 + 8, 0, 2, 1, 0, 2, 4e-6, 0x8100_0003, 0xffff_ffff]);
    expect(rows[999]).toEqual([0, 0, 0, 0, 6, 0, 1e-3, 0, 0]);
  });

  test.each([1, 2, 7, 64, 999, 1000, 1001])(
    "batches of %d rows hold the same rows in the same order",
    async (size) => {
      const whole = await rowsOf((await openTrace(plain)).batches({ extra: true }));
      const sizes: number[] = [];
      const trace = await openTrace(plain);
      const rows = await rowsOf(
        (async function* () {
          for await (const batch of trace.batches({ size, extra: true })) {
            sizes.push(batch.count);
            yield batch;
          }
        })(),
      );
      expect(rows).toEqual(whole);
      expect(Math.max(...sizes)).toBe(Math.min(size, 1000));
    },
  );

  test.each([1, 3, 31, 33, 1000])("a stream in chunks of %d bytes holds the same rows", async (length) => {
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += length) chunks.push(bytes.subarray(at, at + length));
    const trace = await openTrace(Readable.from(chunks));
    expect(await rowsOf(trace.batches({ size: 10 }))).toEqual(
      await rowsOf((await openTrace(plain)).batches()),
    );
  });

  test("two batches are yielded in turn, and a third is never made", async () => {
    const seen = new Set<EventBatch>();
    for await (const batch of (await openTrace(plain)).batches({ size: 10 })) seen.add(batch);
    expect(seen.size).toBe(2);
  });

  test("a file can be read again, a stream cannot", async () => {
    const again = await openTrace(plain);
    expect((await rowsOf(again.batches())).length).toBe(1000);
    expect((await rowsOf(again.batches())).length).toBe(1000);
    const once = await openTrace(Readable.from([bytes]));
    await rowsOf(once.batches());
    expect(thrownBy(() => once.batches()).code).toBe("ERR_BUSY");
  });

  test("totals and bytes read belong to the latest pass, compressed or not", async () => {
    for (const path of [plain, file("packed.bin.gz", gzipSync(bytes))]) {
      const trace = await openTrace(path);
      expect([trace.totals.records, trace.readBytes]).toEqual([0, 0]);
      await rowsOf(trace.batches());
      expect(trace.totals).toEqual({ ...NO_TOTALS, bytes: 32_000, records: 1000 });
      expect(trace.readBytes).toBe(trace.storedBytes);
    }
  });

  test("lines that make no event are counted by reason, and lost events are summed", async () => {
    const text = `# tracer: nop\n\n${LINE}CPU:1 [LOST 12 EVENTS]\n a-1 [000] 1.0: kvm_exit: reason X\n${LINE}`;
    const trace = await openTrace(file("mixed.txt", text));
    await rowsOf(trace.batches());
    expect(trace.totals).toMatchObject({
      records: 2,
      lost: 12,
      skipped: { comment: 1, blank: 1, kvm_exit: 1 },
    });
  });

  test("breaking off early closes the file", async () => {
    const trace = await openTrace(plain);
    for await (const batch of trace.batches({ size: 1 })) if (batch.count === 1) break;
    expect(trace.totals.records).toBe(1);
    expect((await rowsOf(trace.batches())).length).toBe(1000);
  });
});

describe.skipIf(!hasAddon)("damage", () => {
  const file = aFolder();
  const bytes = recordBytes(someRecords(100));

  test("a cut record is refused with its number and byte, plain or from a stream", async () => {
    const cut = bytes.subarray(0, 32 * 50 + 17);
    for (const source of [file("cut.bin", cut), Readable.from([cut])]) {
      const error = await rejectionOf(rowsOf((await openTrace(source)).batches()));
      expect(error).toMatchObject({
        name: "TraceError",
        code: "ERR_TRACE",
        format: "binary",
        offset: 1600,
        record: 50,
      });
      expect(error.message).toContain(": record 50 (byte 1600): expected a whole record of 32 bytes");
    }
  });

  test("a damaged record in the middle is refused, and the rows before its batch were read", async () => {
    const damaged = Buffer.from(bytes);
    damaged.writeUInt32LE(0xff00, 32 * 60 + 24);
    const trace = await openTrace(file("damaged.bin", damaged));
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { count } of trace.batches({ size: 25 })) seen.push(count);
    })();
    expect(await rejectionOf(reading)).toMatchObject({ record: 60, offset: 1920 });
    expect(seen).toEqual([25, 25]);
  });

  test.each([
    ["gzip", gzipSync(bytes), "gz"],
    ["brotli", brotliCompressSync(bytes), "br"],
  ])("a cut %s file is refused with the byte where it ends", async (name, packed, suffix) => {
    const cut = packed.subarray(0, packed.length - 20);
    const path = file(`cut.${suffix}`, cut);
    const error = await rejectionOf(rowsOf((await openTrace(path)).batches()));
    expect(error).toMatchObject({ name: "TraceError", offset: cut.length });
    expect(error.message).toBe(`${path}: byte ${cut.length}: the ${name} stream is cut`);
  });

  test("damage inside a gzip file is refused", async () => {
    const packed = Buffer.from(gzipSync(recordBytes(someRecords(40_000))));
    packed.fill(0xff, packed.length - 6000, packed.length - 3000);
    const error = await rejectionOf(rowsOf((await openTrace(file("bad.gz", packed))).batches()));
    expect(error).toMatchObject({ name: "TraceError", code: "ERR_TRACE" });
  });

  test("bytes behind the end of a brotli stream are refused, not ignored", async () => {
    const twice = Buffer.concat([brotliCompressSync(bytes), brotliCompressSync(bytes)]);
    const error = await rejectionOf(rowsOf((await openTrace(file("twice.br", twice))).batches()));
    expect(error.message).toMatch(/\d+ bytes follow the end of the brotli stream$/);
  });

  test("gzip files that were appended to each other are one trace", async () => {
    const twice = Buffer.concat([gzipSync(bytes), gzipSync(bytes)]);
    expect((await rowsOf((await openTrace(file("twice.gz", twice))).batches())).length).toBe(200);
  });

  test("a trace without one event is an error that says what there was instead", async () => {
    const trace = await openTrace(file("none.txt", "# tracer: nop\n#\n a-1 [000] 1.0: kvm_exit: reason X\n"));
    const error = await rejectionOf(rowsOf(trace.batches()));
    expect(error.message).toMatch(
      /none\.txt: the trace holds no events; passed over: 2 comment, 1 kvm_exit$/,
    );
  });

  test("a stream that fails passes its own error on", async () => {
    const stream = Readable.from(
      (async function* () {
        yield bytes;
        throw new Error("the pipe broke");
      })(),
    );
    const error = await rejectionOf(rowsOf((await openTrace(stream)).batches()));
    expect(error.message).toBe("the pipe broke");
  });
});

describe.skipIf(!hasAddon)("abort", () => {
  const file = aFolder();

  test("a pass ends at the next batch, with ERR_ABORTED and the reason as its cause", async () => {
    const controller = new AbortController();
    const trace = await openTrace(file("some.bin", recordBytes(someRecords(100))));
    let batches = 0;
    const reading = (async () => {
      for await (const batch of trace.batches({ size: 10, signal: controller.signal })) {
        batches += batch.count / 10;
        if (batches === 3) controller.abort(new Error("enough"));
      }
    })();
    const error = await rejectionOf(reading);
    expect([error.code, (error.cause as Error).message, batches]).toEqual(["ERR_ABORTED", "enough", 3]);
  });

  test("a stream that sends nothing more does not hold the pass up", async () => {
    const stream = new Readable({ read() {} });
    stream.push(recordBytes(someRecords(10)));
    const trace = await openTrace(stream);
    const reading = rowsOf(trace.batches({ signal: AbortSignal.timeout(20) }));
    expect((await rejectionOf(reading)).code).toBe("ERR_ABORTED");
    expect(stream.destroyed).toBe(true);
  });

  test("what is no signal is refused", async () => {
    const trace = await openTrace(file("s.bin", recordBytes(someRecords(1))));
    expect(thrownBy(() => trace.batches({ signal: {} as AbortSignal })).message).toContain(
      "must be an AbortSignal",
    );
  });
});

describe.skipIf(!hasAddon)("sha256", () => {
  const file = aFolder();
  const packed = brotliCompressSync(recordBytes(someRecords(500)));
  const expected = createHash("sha256").update(packed).digest("hex");

  test("is that of the bytes as stored, for a file and for a stream", async () => {
    const trace = await openTrace(file("hash.br", packed));
    expect(await trace.sha256()).toBe(expected);
    const stream = await openTrace(Readable.from([packed.subarray(0, 99), packed.subarray(99)]));
    expect(await stream.sha256()).toBeUndefined();
    await rowsOf(stream.batches());
    expect(await stream.sha256()).toBe(expected);
  });

  test("is left out if it is switched off", async () => {
    const trace = await openTrace(file("hash.br", packed), { hash: false });
    expect(await trace.sha256()).toBeUndefined();
    const stream = await openTrace(Readable.from([packed]), { hash: false });
    await rowsOf(stream.batches());
    expect(await stream.sha256()).toBeUndefined();
  });
});
