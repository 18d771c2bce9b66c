import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import {
  defineTraceFormat,
  openTrace,
  registerTraceFormat,
  type TraceSink,
  traceFormats,
} from "../../../lib/index.js";
import { NO_TOTALS } from "../../../lib/trace/trace-format.js";
import { rejectionOf, thrownBy } from "../thrown.js";
import { hasAddon } from "../with-addon.js";
import { aFolder, rowsOf } from "./records.js";

// Big-endian pages instead of little-endian addresses, and letters for kinds, so
// that nothing here happens to be as in a built-in format.
const SIGNATURE = "PGLOG1";
const ENTRY = 12;
const HOW: Readonly<Record<string, "read" | "write" | "fetch">> = { r: "read", w: "write", x: "fetch" };

/** A format as a user would write it, in TypeScript alone. */
const pageLog = defineTraceFormat({
  name: "page-log",
  summary: "pages that a guest touched, as letters and numbers",
  hasOperations: true,
  detect: (head) => textAt(head, 0, SIGNATURE.length) === SIGNATURE,
  open: () => ({ expectsSignature: true }),
  decode(chunk, sink, state) {
    let end = 0;
    if (state.expectsSignature) {
      if (chunk.byteLength < SIGNATURE.length) return 0;
      end = SIGNATURE.length;
      state.expectsSignature = false;
    }
    while (chunk.byteLength - end >= ENTRY) {
      addEntry(chunk, end, sink);
      end += ENTRY;
    }
    return end;
  },
});

function addEntry(chunk: DataView, start: number, sink: TraceSink): void {
  const letter = textAt(chunk, start, 1);
  const number = chunk.getUint8(start + 1);
  const how = HOW[letter];
  if (how !== undefined) {
    const page = chunk.getUint8(start + 4) * 2 ** 32 + chunk.getUint32(start + 5);
    sink.access(page * 4096, how, number, 0x182);
    sink.stamp(chunk.getUint16(start + 2) / 4, 1, 2);
  } else if (letter === "z") sink.operation("zap-all-fast");
  else if (letter === "l") sink.lost(number);
  else if (letter === "-") sink.skip("padding");
  else sink.fail(start, "one of the letters r, w, x, z, l and -");
}

function textAt(view: DataView, start: number, length: number): string {
  if (view.byteLength < start + length) return "";
  return String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + start, length));
}

type Entry = [letter: string, page: number, number: number, quarters: number];

function logOf(entries: readonly Entry[]): Buffer {
  const packed = entries.map(([letter, page, number, quarters]) => {
    const entry = Buffer.alloc(ENTRY);
    entry.write(letter, 0, "latin1");
    entry.writeUInt8(number, 1);
    entry.writeUInt16BE(quarters, 2);
    entry.writeUIntBE(page, 4, 5);
    return entry;
  });
  return Buffer.concat([Buffer.from(SIGNATURE), ...packed]);
}

describe.skipIf(!hasAddon)("a format in TypeScript", () => {
  const file = aFolder();
  const some: Entry[] = [
    ["w", 2 ** 39 + 1, 3, 5],
    ["-", 0, 0, 0],
    ["z", 0, 0, 0],
    ["x", 2, 1, 6],
    ["l", 0, 5, 0],
  ];
  const expected = [
    [2 ** 51 + 4096, 0, 0x182, 3, 0, 2, 1.25, 1, 2],
    [0, 0, 0, 0, 2, 0, 0, 0, 0],
    [8192, 0, 0x182, 1, 0, 4, 1.5, 1, 2],
  ];

  test("is asked once it is registered, and only once under a name", async () => {
    const path = file("pages.bin", logOf(some));
    expect((await rejectionOf(openTrace(path))).code).toBe("ERR_TRACE");
    const before = (await traceFormats()).map(({ name }) => name);
    registerTraceFormat(pageLog);
    expect((await traceFormats()).map(({ name }) => name)).toEqual(["page-log", ...before]);
    expect((await openTrace(path)).format).toBe("page-log");
    expect(thrownBy(() => registerTraceFormat(pageLog)).code).toBe("ERR_CONFIG");
  });

  test("gives rows, totals, skipped and lost like a native one", async () => {
    const trace = await openTrace(file("pages.bin", logOf(some)));
    expect(await rowsOf(trace.batches({ extra: true }))).toEqual(expected);
    const gaps = [{ before: 3, events: 5 }];
    expect(trace.totals).toEqual({
      ...NO_TOTALS,
      bytes: 66,
      records: 3,
      lost: 5,
      gaps,
      skipped: { padding: 1 },
    });
  });

  test.each([1, 7, 1000])(
    "gives the same accesses from chunks of %d bytes, in batches of 2",
    async (length) => {
      const bytes = logOf(some);
      const chunks: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += length) chunks.push(bytes.subarray(at, at + length));
      const trace = await openTrace(Readable.from(chunks));
      const rows = await rowsOf(trace.batches({ size: 2 }));
      expect(rows).toEqual(expected.map((row) => row.slice(0, 6)));
    },
  );

  test("its refusal names record and byte of the whole trace", async () => {
    const many = Array.from({ length: 40_000 }, (_, i): Entry => [i === 39_000 ? "?" : "r", i, 0, 0]);
    const path = file("bad.bin", logOf(many));
    const trace = await openTrace(path);
    const error = await rejectionOf(rowsOf(trace.batches()));
    const offset = SIGNATURE.length + 39_000 * ENTRY;
    expect(error).toMatchObject({ name: "TraceError", format: "page-log", record: 39_000, offset });
    expect(error.message).toBe(
      `${path}: record 39000 (byte ${offset}): expected one of the letters r, w, x, z, l and -`,
    );
  });

  test("a cut record at the end is refused", async () => {
    const trace = await openTrace(file("cut.bin", logOf(some).subarray(0, 61)));
    expect((await rejectionOf(rowsOf(trace.batches()))).message).toContain(
      "the trace ends after 7 bytes of it",
    );
  });
});

test("a name that is no file name is refused", () => {
  expect(thrownBy(() => defineTraceFormat({ ...pageLog, name: "Page log" })).message).toContain(
    "format name must be",
  );
});
