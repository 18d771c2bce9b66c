import { readFileSync } from "node:fs";
import { Writable } from "node:stream";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  EVENT_KINDS,
  EventBatch,
  openTrace,
  type WriteTraceOptions,
  writeTrace,
} from "../../../lib/index.js";
import { rejectionOf } from "../thrown.js";
import { hasAddon } from "../with-addon.js";
import { aFolder, MARKER, recordBytes, rowsOf, someRecords } from "./records.js";

async function* only(batch: EventBatch): AsyncGenerator<EventBatch> {
  yield batch;
}

/** A stream that takes its time and keeps what it was given. */
function slowSink(): { stream: Writable; bytes: () => Buffer } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    highWaterMark: 2 ** 22,
    write(chunk: Buffer, _, done) {
      chunks.push(Buffer.from(chunk));
      setTimeout(done, 1);
    },
  });
  return { stream, bytes: () => Buffer.concat(chunks) };
}

describe.skipIf(!hasAddon)("binary", () => {
  const file = aFolder();
  // Kernel addresses carry their flag, so that every byte comes back.
  const records = [
    ...someRecords(20_000).map((record) => ({ ...record, flags: 4 })),
    { ns: 21_000_000, gpa: 2 ** 51, rip: 5n, code: 0x17, vcpu: 65_535 },
    { ns: 22_000_000, flags: MARKER + 1 },
    { ns: 23_000_000, flags: MARKER + 2 },
    { ns: 143_423_093_000, flags: MARKER + 3 },
  ];
  const bytes = recordBytes(records);

  test("what was read is written byte for byte, with backpressure", async () => {
    const trace = await openTrace(file("in.bin", bytes));
    const sink = slowSink();
    const written = await writeTrace(trace.batches({ extra: true, size: 999 }), sink.stream, {
      format: "binary",
    });
    expect(written).toEqual({ records: records.length, bytes: bytes.length });
    expect(sink.bytes().equals(bytes)).toBe(true);
  });

  test.each([
    ["gzip", gunzipSync],
    ["brotli", brotliDecompressSync],
  ] as const)("compressed as %s it is the same file inside", async (compression, inflate) => {
    const trace = await openTrace(file("in.bin", bytes));
    const path = file(`out.${compression}`, "");
    await writeTrace(trace.batches({ extra: true }), path, { format: "binary", compression });
    expect(inflate(readFileSync(path)).equals(bytes)).toBe(true);
    expect((await openTrace(path)).compression).toBe(compression);
  });

  test("an event that has no record is refused with its row", async () => {
    const batch = new EventBatch(2);
    batch.pushAccess(0, "read");
    batch.pushRow(200, 0x1000, 0x1000, 0, 0);
    const error = await rejectionOf(writeTrace(only(batch), slowSink().stream, { format: "binary" }));
    expect(error).toMatchObject({ code: "ERR_TRACE", values: { row: 1, kind: 200 } });
  });

  test("an event of every kind comes back as it was, range, vCPU and access column", async () => {
    const batch = new EventBatch(64, { extra: true });
    for (const [kind] of EVENT_KINDS.entries()) {
      batch.pushRow(kind, 0x5000, kind === 0 ? 0 : 0x3000, 3, 1);
      batch.pushRow(kind, 0, 0, 0, kind === 0 ? 7 : 0);
    }
    batch.pushRow(EVENT_KINDS.indexOf("hva-begin"), 2 ** 52 - 4096, 4096, 0, 0);
    const path = file("kinds.bin", "");
    await writeTrace(only(batch), path, { format: "binary" });
    const read = await rowsOf((await openTrace(path)).batches({ extra: true }));
    // The recorded code of an access is not what it was given, which was none.
    const withoutCode = (row: number[]) => row.filter((_, column) => column !== 2);
    const wanted = await rowsOf(only(batch));
    expect(read.map(withoutCode)).toEqual(wanted.map(withoutCode));
  });
});

describe.skipIf(!hasAddon)("ftrace", () => {
  const file = aFolder();

  test("lines have the layout of the tracepoint", async () => {
    const batch = new EventBatch(3, { extra: true });
    batch.pushAccess(0xfffffff0, "fetch");
    batch.pushOperation("dirty-log-get");
    batch.pushAccess(2 ** 51 + 0x1000, "write", 12);
    batch.time?.set([0.029868, 1, 143.423093]);
    batch.ripLow?.set([0xfffffff0, 0, 0x81000001]);
    batch.ripHigh?.set([0, 0, 0xffffffff]);
    const sink = slowSink();
    await writeTrace(only(batch), sink.stream, { format: "ftrace" });
    const lines = sink.bytes().toString().split("\n");
    expect(lines[0]).toBe("# tracer: nop");
    expect(lines.slice(-4)).toEqual([
      "      CPU 0/KVM-1000     [000] .....     0.029868: kvm_page_fault: vcpu 0 rip 0xfffffff0 address 0x00000000fffffff0 error_code 0x184",
      "# marker dirty-log-get 1.000000",
      "     CPU 12/KVM-1012     [012] .....   143.423093: kvm_page_fault: vcpu 12 rip 0xffffffff81000001 address 0x0008000000001000 error_code 0x182",
      "",
    ]);
  });

  test("a text that is read and written again is read the same", async () => {
    const first = await openTrace(file("in.bin", recordBytes(someRecords(5000))));
    const path = file("out.txt", "");
    await writeTrace(first.batches({ extra: true }), path, { format: "ftrace" });
    const text = await openTrace(path);
    const rows = await rowsOf(text.batches({ extra: true }));
    expect(text.format).toBe("ftrace");
    // The codes differ in kind: PFERR there, an exit qualification here.
    const withoutCode = (row: number[]) => row.filter((_, column) => column !== 2);
    expect(rows.map(withoutCode)).toEqual((await rowsOf(first.batches({ extra: true }))).map(withoutCode));
    expect(new Set(rows.map((row) => row[2]))).toEqual(new Set([0x182]));
  });
});

test.each([
  [{ format: "arrow" }, 'format must be one of "binary", "ftrace", "ndjson", "parquet", got "arrow"'],
  [{ format: "binary", compression: "zip" }, 'compression must be one of "none", "gzip", "brotli"'],
  [{ format: "binary", level: 9 }, 'writeTrace has no key "level"'],
])("%o is refused before anything is written", async (options, sentence) => {
  const sink = slowSink();
  const written = writeTrace(only(new EventBatch(1)), sink.stream, options as WriteTraceOptions);
  expect((await rejectionOf(written)).message).toContain(sentence);
  expect(sink.bytes().length).toBe(0);
});

test("a file that cannot be written is the system's error", async () => {
  const batch = new EventBatch(1);
  batch.pushAccess(0, "read");
  const error = await rejectionOf(writeTrace(only(batch), "/nonexistent/x.bin", { format: "binary" }));
  expect(error.code).toBe("ENOENT");
});
