import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { openTrace, type TraceError } from "../../../lib/index.js";
import { rejectionOf } from "../thrown.js";
import { hasAddon } from "../with-addon.js";
import { aFolder, recordBytes, rowsOf, someRecords } from "./records.js";

const LINE =
  "  CPU 0/KVM-7 [000] ..... 1.000001: kvm_page_fault: vcpu 0 rip 0x1 address 0x2000 error_code 0x182\n";

describe.skipIf(!hasAddon)("openTrace", () => {
  const file = aFolder();
  const records = recordBytes(someRecords(1000));

  test.each([
    ["none", (bytes: Buffer) => bytes],
    ["gzip", gzipSync],
    ["brotli", (bytes: Buffer) => brotliCompressSync(bytes)],
  ])(
    "recognises records and text, compression %s, whatever the file is called",
    async (compression, pack) => {
      const binary = await openTrace(file(`${compression}.one`, pack(records)));
      expect([binary.format, binary.compression]).toEqual(["binary", compression]);
      const text = await openTrace(file(`${compression}.two`, pack(Buffer.from(LINE.repeat(9)))));
      expect([text.format, text.compression]).toEqual(["ftrace", compression]);
      expect((await rowsOf(binary.batches())).length).toBe(1000);
      expect((await rowsOf(text.batches())).length).toBe(9);
    },
  );

  test("a URL, a path and a stream give the same events", async () => {
    const path = file("same.bin", records);
    const expected = await rowsOf((await openTrace(path)).batches({ extra: true }));
    for (const source of [pathToFileURL(path), createReadStream(path), Readable.from([records])]) {
      const trace = await openTrace(source);
      expect(await rowsOf(trace.batches({ extra: true }))).toEqual(expected);
    }
  });

  test("a stream that is cut into single bytes is recognised and read", async () => {
    const bytes = brotliCompressSync(recordBytes(someRecords(5)));
    const trace = await openTrace(Readable.from(Array.from(bytes, (byte) => Buffer.from([byte]))));
    expect([trace.compression, (await rowsOf(trace.batches())).length]).toEqual(["brotli", 5]);
  });

  test("a live stream is recognised by what it has sent so far", async () => {
    const stream = new Readable({ read() {} });
    stream.push(LINE.repeat(3));
    const trace = await openTrace(stream);
    expect([trace.format, trace.rewindable, trace.path, trace.source]).toEqual([
      "ftrace",
      false,
      undefined,
      "stream",
    ]);
    stream.push(null);
    expect((await rowsOf(trace.batches())).length).toBe(3);
  });

  test("an empty trace is an error that says so", async () => {
    const error = (await rejectionOf(openTrace(file("empty", "")))) as unknown as TraceError;
    expect(error.name).toBe("TraceError");
    expect(error.message).toMatch(/empty: the trace is empty$/);
    expect((await rejectionOf(openTrace(Readable.from([])))).message).toBe("stream: the trace is empty");
  });

  test("noise is refused by name, with the formats there are", async () => {
    const error = await rejectionOf(openTrace(file("noise", randomBytes(5000).fill(0xff, 0, 64))));
    expect(error.code).toBe("ERR_TRACE");
    expect(error.message).toMatch(
      /noise: expected a trace in one of the formats binary, ftrace, ndjson, parquet, uncompressed or as/,
    );
  });

  test.each([
    ["brotli", brotliCompressSync(records)],
    ["gzip", gzipSync(records)],
  ])("a %s stream that is cut before its first event is refused as one", async (compression, bytes) => {
    const cut = bytes.subarray(0, 12);
    for (const source of [file("early", cut), Readable.from([cut])]) {
      const error = await rejectionOf(openTrace(source));
      expect(error).toMatchObject({ name: "TraceError", code: "ERR_TRACE", offset: 12 });
      expect(error.message).toContain(`byte 12: the ${compression} stream is cut, or this is no trace`);
    }
  });

  test("a whole stream of nothing is not called cut", async () => {
    for (const bytes of [brotliCompressSync(""), gzipSync("")]) {
      expect((await rejectionOf(openTrace(file("nothing", bytes)))).message).not.toContain("cut");
    }
  });

  test.each(["text", { a: 1 }])("a stream of %o is refused as no stream of bytes", async (chunk) => {
    const stream = Readable.from([chunk]);
    const error = await rejectionOf(openTrace(stream));
    expect([error.code, error.message]).toEqual([
      "ERR_CONFIG",
      `source must be a stream of bytes (Buffer or Uint8Array), got ${JSON.stringify(chunk)}`,
    ]);
    expect(stream.destroyed).toBe(true);
  });

  test("who names a format is believed where detection fails", async () => {
    const path = file("odd.txt", `${"some preamble\n".repeat(9000)}${LINE}`);
    expect((await rejectionOf(openTrace(path))).code).toBe("ERR_TRACE");
    const trace = await openTrace(path, { format: "ftrace" });
    expect((await rowsOf(trace.batches())).length).toBe(1);
    expect(trace.totals.skipped).toEqual({ unrecognised: 9000 });
  });

  test("the system's own errors pass", async () => {
    const missing = await rejectionOf(openTrace(`${file("x", "x")}.none`));
    expect(missing.code).toBe("ENOENT");
    expect((await rejectionOf(openTrace(dirname(file("x", "x"))))).code).toBe("EISDIR");
  });

  test.each([
    ["", {}, "source must be a path"],
    [7, {}, "source must be a path"],
    [new URL("https://example.org/x"), {}, "source must be a file: URL"],
    ["x", { fromat: "binary" }, 'openTrace has no key "fromat"; did you mean format?'],
    [
      "x",
      { format: "binry" },
      'format must be one of "binary", "ftrace", "ndjson", "parquet" (did you mean binary?), got "binry"',
    ],
    ["x", { compression: "zstd" }, 'compression must be one of "none", "gzip", "brotli", got "zstd"'],
  ])("source %o with %o is refused", async (source, options, sentence) => {
    const error = await rejectionOf(openTrace(source as string, options as object));
    expect([error.code, error.message.slice(0, sentence.length)]).toEqual(["ERR_CONFIG", sentence]);
  });
});
