import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { defineTraceFormat, openTrace, registerTraceFormat, traceFormats } from "../../../lib/index.js";
import { rejectionOf, thrownBy } from "../thrown.js";
import { hasAddon } from "../with-addon.js";
import { aFolder, rowsOf } from "./records.js";

const MAGIC = 0x3154_4b4b;
const RECORD_BYTES = 16;
const ACCESS = ["read", "write", "fetch"] as const;

/** A format as a user would write it, in TypeScript alone. */
const exits = defineTraceFormat({
  name: "kvm-exits",
  summary: "16-byte EPT-violation records",
  hasOperations: true,
  detect: (head) => head.byteLength >= 4 && head.getUint32(0, true) === MAGIC,
  open: () => ({ headerSeen: false }),
  decode(chunk, sink, state) {
    let at = 0;
    if (!state.headerSeen) {
      if (chunk.byteLength < 4) return 0;
      at = 4;
      state.headerSeen = true;
    }
    for (; at + RECORD_BYTES <= chunk.byteLength; at += RECORD_BYTES) {
      const kind = chunk.getUint8(at + 8);
      if (kind === 9) sink.skip("padding");
      else if (kind === 8) sink.operation("zap-all-fast");
      else if (kind === 7) sink.lost(chunk.getUint8(at + 9));
      else {
        const access = ACCESS[kind];
        if (access === undefined) return sink.fail(at, "an access type from 0 to 2");
        const gpa = chunk.getUint32(at, true) + chunk.getUint32(at + 4, true) * 2 ** 32;
        sink.access(gpa, access, chunk.getUint8(at + 9), 0x182);
        sink.stamp(at, 1, 2);
      }
    }
    return at;
  },
});

function exitBytes(records: readonly [gpa: number, kind: number, vcpu: number][]): Buffer {
  const bytes = Buffer.alloc(4 + records.length * RECORD_BYTES);
  bytes.writeUInt32LE(MAGIC, 0);
  for (const [index, [gpa, kind, vcpu]] of records.entries()) {
    bytes.writeBigUInt64LE(BigInt(gpa), 4 + index * RECORD_BYTES);
    bytes.writeUInt8(kind, 4 + index * RECORD_BYTES + 8);
    bytes.writeUInt8(vcpu, 4 + index * RECORD_BYTES + 9);
  }
  return bytes;
}

describe.skipIf(!hasAddon)("a format in TypeScript", () => {
  const file = aFolder();
  const some: [number, number, number][] = [
    [2 ** 51 + 4096, 1, 3],
    [0, 9, 0],
    [0, 8, 0],
    [8192, 2, 1],
    [0, 7, 5],
  ];
  const expected = [
    [2 ** 51 + 4096, 0, 0x182, 3, 0, 2, 4, 1, 2],
    [0, 0, 0, 0, 2, 0, 0, 0, 0],
    [8192, 0, 0x182, 1, 0, 4, 52, 1, 2],
  ];

  test("is asked once it is registered, and only once under a name", async () => {
    const path = file("exits.bin", exitBytes(some));
    expect((await rejectionOf(openTrace(path))).code).toBe("ERR_TRACE");
    registerTraceFormat(exits);
    expect((await traceFormats()).map(({ name }) => name)).toEqual(["kvm-exits", "binary", "ftrace"]);
    expect((await openTrace(path)).format).toBe("kvm-exits");
    expect(thrownBy(() => registerTraceFormat(exits)).code).toBe("ERR_CONFIG");
  });

  test("gives rows, totals, skipped and lost like a native one", async () => {
    const trace = await openTrace(file("exits.bin", exitBytes(some)));
    expect(await rowsOf(trace.batches({ extra: true }))).toEqual(expected);
    expect(trace.totals).toEqual({ bytes: 84, records: 3, lost: 5, skipped: { padding: 1 } });
  });

  test.each([1, 7, 1000])(
    "gives the same accesses from chunks of %d bytes, in batches of 2",
    async (length) => {
      const bytes = exitBytes(some);
      const chunks: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += length) chunks.push(bytes.subarray(at, at + length));
      const trace = await openTrace(Readable.from(chunks));
      const rows = await rowsOf(trace.batches({ size: 2 }));
      expect(rows).toEqual(expected.map((row) => row.slice(0, 6)));
    },
  );

  test("its refusal names record and byte of the whole trace", async () => {
    const many: [number, number, number][] = Array.from({ length: 40_000 }, (_, i) => [
      4096 * i,
      i === 39_000 ? 5 : 0,
      0,
    ]);
    const trace = await openTrace(file("bad.bin", exitBytes(many)));
    const error = await rejectionOf(rowsOf(trace.batches()));
    const offset = 4 + 39_000 * RECORD_BYTES;
    expect(error).toMatchObject({ name: "TraceError", format: "kvm-exits", record: 39_000, offset });
    expect(error.message).toBe(`record 39000 (byte ${offset}): expected an access type from 0 to 2`);
  });

  test("a cut record at the end is refused", async () => {
    const trace = await openTrace(file("cut.bin", exitBytes(some).subarray(0, 80)));
    expect((await rejectionOf(rowsOf(trace.batches()))).message).toContain(
      "the trace ends after 12 bytes of it",
    );
  });
});

test("a name that is no file name is refused", () => {
  expect(thrownBy(() => defineTraceFormat({ ...exits, name: "KVM exits" })).message).toContain(
    "format name must be",
  );
});
