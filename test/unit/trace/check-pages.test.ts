// Pages that claim more than their row group has, written by hand: the library
// behind this check would allocate what they claim.
import { describe, expect, test } from "vitest";
import { type ChunkLimits, checkPages, MAX_CHUNK_BYTES } from "../../../lib/trace/parquet/check-pages.js";
import { codecs, inflateWith } from "../../../lib/trace/parquet/codecs.js";
import { thrownBy } from "../thrown.js";

const RLE_DICTIONARY = 8;

/** Thrift's compact form of a number: zigzag, then seven bits a byte. */
function zigzag(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value * 2; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push(128 + (rest % 128));
  }
}

/** Fields of one struct by number, each an integer or a struct. */
function struct(fields: Readonly<Record<number, number | number[]>>): number[] {
  let last = 0;
  const parts = Object.entries(fields).flatMap(([field, value]) => {
    const delta = Number(field) - last;
    last = Number(field);
    return typeof value === "number" ? [delta * 16 + 5, ...zigzag(value)] : [delta * 16 + 12, ...value];
  });
  return [...parts, 0];
}

interface Claims {
  readonly values?: number;
  readonly bytes?: number;
  readonly stored?: number;
  readonly encoding?: number;
}

function dataPage(body: readonly number[], claims: Claims = {}): Uint8Array {
  const { values = 4, bytes = body.length, stored = body.length, encoding = RLE_DICTIONARY } = claims;
  const data = struct({ 1: values, 2: 0, 3: values, 4: encoding, 5: 0, 6: 0 });
  return Uint8Array.from([...struct({ 1: 3, 2: bytes, 3: stored, 8: data }), ...body]);
}

const inflate = inflateWith(
  codecs((input, output) => output.set(input)),
  MAX_CHUNK_BYTES,
);
const limits: ChunkLimits = { rows: 4, optional: false, codec: "UNCOMPRESSED", inflate };
const refusal = (page: Uint8Array, more: Partial<ChunkLimits> = {}) =>
  thrownBy(() => checkPages(page, { ...limits, ...more })).message;

describe("a page is refused", () => {
  // One bit an index; a run of four.
  const body = [1, 8, 1];

  test("if one like it is not, for each reason below", () => {
    checkPages(dataPage(body), limits);
  });

  test.each([
    ["that has more rows than its group", dataPage(body, { values: 5 }), "at most 4 rows of a page, not 5"],
    ["that has none", dataPage(body, { values: 0 }), "rows in a page"],
    ["that is larger than its column", dataPage(body, { stored: 100 }), "a length within what is left"],
    [
      "that claims to inflate to gigabytes",
      dataPage(body, { bytes: 2 ** 30 }),
      "pages of at most 268435456 bytes",
    ],
    ["of an encoding that sets its own size", dataPage(body, { encoding: 7 }), "a plain, dictionary, delta"],
    [
      "whose run goes on for a billion values",
      dataPage([1, 0x80, 0x80, 0x80, 0x80, 8, 1]),
      "at most 4 values of a run",
    ],
    ["whose indexes are wider than any", dataPage([33, 8, 1]), "dictionary indexes of at most 32 bits"],
  ])("%s", (_, page, expected) => {
    expect(refusal(page)).toContain(expected);
  });

  test("that is compressed in a way that is not known", () => {
    expect(refusal(dataPage(body), { codec: "LZO" })).toContain("a page compressed as UNCOMPRESSED, SNAPPY");
  });

  test("that ends before its group does", () => {
    expect(refusal(dataPage(body), { rows: 8 })).toContain("a structure that does not end early");
  });
});
