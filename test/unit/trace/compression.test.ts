import { Readable } from "node:stream";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  type Compression,
  compressor,
  hasGzipMagic,
  inflated,
  inflatedHead,
} from "../../../lib/trace/compression.js";
import { rejectionOf } from "../thrown.js";

const text = Buffer.from("guest-physical ".repeat(20_000));

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

test.each(["none", "gzip", "brotli"] as const)(
  "what %s packs, it unpacks, chunk by chunk",
  async (compression) => {
    const filter = compressor(compression);
    const packed = filter === undefined ? text : await bytesOf(Readable.from([text]).pipe(filter));
    const halves = Readable.from([packed.subarray(0, 99), packed.subarray(99)]);
    expect((await bytesOf(inflated(halves, compression, "x", packed.length))).equals(text)).toBe(true);
  },
);

describe("the first bytes", () => {
  test.each([
    ["gzip", gzipSync(text)],
    ["brotli", brotliCompressSync(text)],
  ] as const)("of %s come out of a head that ends inside the stream", async (compression, packed) => {
    const head = await inflatedHead(packed.subarray(0, packed.length - 1), compression);
    expect(head.length).toBeGreaterThan(0);
    expect(text.subarray(0, head.length).equals(head)).toBe(true);
  });

  test("of a small file that expands a thousandfold are bounded", async () => {
    const head = await inflatedHead(gzipSync(Buffer.alloc(2 ** 26)), "gzip");
    expect(head.length).toBeLessThan(2 ** 20);
  });

  test.each(["gzip", "brotli"] as const)("of noise that is no %s are none", async (compression) => {
    expect((await inflatedHead(Buffer.alloc(5000, 0xff), compression)).length).toBe(0);
  });
});

test("gzip is known by its magic number", () => {
  expect([gzipSync(text), brotliCompressSync(text), Buffer.of(0x1f)].map(hasGzipMagic)).toEqual([
    true,
    false,
    false,
  ]);
});

test.each(["gzip", "brotli"] as Compression[])(
  "noise as %s is refused with a byte offset",
  async (compression) => {
    const error = await rejectionOf(
      bytesOf(inflated(Readable.from([Buffer.alloc(5000, 0xff)]), compression, "x", 5000)),
    );
    expect(error).toMatchObject({ name: "TraceError", code: "ERR_TRACE" });
    expect(error.message).toMatch(new RegExp(`^x: byte \\d+: expected ${compression} data`));
  },
);
