import { describe, expect, test } from "vitest";
import { type DecodeContext, expectEvents, readChunks, readMapped } from "../../../lib/trace/read-batches.js";
import { type DecodeStep, NO_TOTALS, type TraceDecoder } from "../../../lib/trace/trace-format.js";
import { rejectionOf, thrownBy } from "../thrown.js";
import { rowsOf } from "./records.js";

/** A decoder of single bytes: each is a row whose gpa is its value; 255 is refused. */
class ByteDecoder implements TraceDecoder {
  bytes = 0;

  decode(
    chunk: Uint8Array,
    offset: number,
    _: boolean,
    events: ArrayBuffer,
    at: number,
    capacity: number,
  ): DecodeStep {
    const gpa = new Float64Array(events, 0, capacity);
    let count = at;
    for (; count < capacity && offset + count - at < chunk.length; count++) {
      const byte = chunk[offset + count - at] as number;
      if (byte === 255) {
        const values = { offset: this.bytes + count - at, record: this.bytes + count - at };
        throw Object.assign(new Error("a byte below 255"), { code: "ERR_TRACE", errno: "", values });
      }
      gpa[count] = byte;
    }
    this.bytes += count - at;
    return { consumed: count - at, count };
  }

  totals() {
    return { ...NO_TOTALS, bytes: this.bytes, records: this.bytes };
  }
}

const aContext = (decoder: TraceDecoder = new ByteDecoder()): DecodeContext => {
  return { decoder, format: "bytes", source: "x" };
};

const mapped = (bytes: Uint8Array) => ({
  bytes: bytes.length,
  close: () => {},
  decode: (
    decoder: TraceDecoder,
    offset: number,
    events: ArrayBuffer,
    at: number,
    capacity: number,
    extra: boolean,
  ) => decoder.decode(bytes, offset, true, events, at, capacity, extra),
});

async function* chunksOf(...chunks: number[][]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Uint8Array.from(chunk);
}

const shape = { size: 4, extra: false };
const gpas = async (batches: Parameters<typeof rowsOf>[0]) => (await rowsOf(batches)).map(([gpa]) => gpa);

describe("chunks", () => {
  test("that end exactly with a batch lose and repeat nothing", async () => {
    const chunks = chunksOf([1, 2, 3, 4], [5, 6, 7, 8], [], [9]);
    expect(await gpas(readChunks(chunks, aContext(), shape))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("of many batches are drained before the next is asked for", async () => {
    expect(
      await gpas(readChunks(chunksOf([1, 2, 3, 4, 5, 6, 7, 8, 9]), aContext(), { ...shape, size: 2 })),
    ).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("without bytes give no batch", async () => {
    expect(await gpas(readChunks(chunksOf([], []), aContext(), shape))).toEqual([]);
  });
});

test("a mapped file is read to its end, and the way there is told", async () => {
  const ways: number[] = [];
  const file = mapped(Uint8Array.of(1, 2, 3, 4, 5, 6));
  expect(await gpas(readMapped(file, aContext(), shape, (offset) => ways.push(offset)))).toEqual([
    1, 2, 3, 4, 5, 6,
  ]);
  expect(ways).toEqual([4, 6]);
});

test("a refusal becomes a TraceError with the place, from either", async () => {
  const bytes = [1, 2, 3, 4, 5, 255];
  const file = mapped(Uint8Array.from(bytes));
  for (const batches of [
    readChunks(chunksOf(bytes), aContext(), shape),
    readMapped(file, aContext(), shape, () => {}),
  ]) {
    const error = await rejectionOf(rowsOf(batches));
    expect(error).toMatchObject({ name: "TraceError", format: "bytes", offset: 5, record: 5 });
    expect(error.message).toBe("x: record 5 (byte 5): expected a byte below 255");
  }
});

test("a decoder that makes no progress is our bug, not an endless loop", async () => {
  const stuck = new ByteDecoder();
  stuck.decode = (_chunk, _offset, _last, _events, at) => ({ consumed: 0, count: at });
  const error = await rejectionOf(
    rowsOf(readMapped(mapped(Uint8Array.of(1)), aContext(stuck), shape, () => {})),
  );
  expect(error.code).toBe("ERR_INTERNAL");
});

test("no event at all is refused with what there was instead", () => {
  const totals = { ...NO_TOTALS, bytes: 9, skipped: { comment: 2, blank: 1 } };
  expect(thrownBy(() => expectEvents(totals, "ftrace", "x")).message).toBe(
    "x: the trace holds no events; passed over: 2 comment, 1 blank",
  );
  expect(() => expectEvents({ ...totals, records: 1 }, "ftrace", "x")).not.toThrow();
});
