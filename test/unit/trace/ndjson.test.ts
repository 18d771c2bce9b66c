import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { EventBatch, openTrace, TraceError, writeTrace } from "../../../lib/index.js";
import { everyEvent, randomEvents } from "../../support/every-event.js";
import { runSeed, seeded } from "../../support/random.js";
import { rejectionOf } from "../thrown.js";
import { hasAddon } from "../with-addon.js";
import { aFolder, rowsOf } from "./records.js";

const WRITE = '{"gpa":"0x1000","access":"write"}';

async function* only(...batches: EventBatch[]): AsyncGenerator<EventBatch> {
  yield* batches;
}

describe.skipIf(!hasAddon)("ndjson", () => {
  const file = aFolder();
  const read = async (text: string | Uint8Array) =>
    rowsOf(
      (await openTrace(file("in.ndjson", text), { format: "ndjson" })).batches({ extra: true, size: 256 }),
    );
  const refusal = (text: string) => rejectionOf(read(text));

  async function written(...batches: EventBatch[]): Promise<Buffer> {
    const path = file("out.ndjson", "");
    await writeTrace(only(...batches), path, { format: "ndjson" });
    return readFileSync(path);
  }

  test("every kind, word and highest number comes back as it was", async () => {
    const batch = everyEvent();
    const text = await written(batch);
    expect((await openTrace(file("every.txt", text))).format).toBe("ndjson");
    expect(await read(text)).toEqual(await rowsOf(only(batch)));
  });

  test("rows that a seed chose come back as they were, over many buffers", async () => {
    const batch = randomEvents(runSeed(), 20_000);
    expect(await read(await written(batch))).toEqual(await rowsOf(only(batch)));
  });

  test.each([1, 7, 4096, 10 ** 9])("chunks of %d bytes give equal batches", async (length) => {
    const text = await written(everyEvent());
    const chunks: Buffer[] = [];
    for (let at = 0; at < text.length; at += length) chunks.push(text.subarray(at, at + length));
    const trace = await openTrace(Readable.from(chunks));
    expect(trace.format).toBe("ndjson");
    expect(await rowsOf(trace.batches({ extra: true, size: 5 }))).toEqual(await rowsOf(only(everyEvent())));
    expect(trace.totals.bytes).toBe(text.length);
  });

  test("a line is what jq would make of the columns", async () => {
    const batch = new EventBatch(1, { extra: true });
    batch.pushAccess(0x2008, ["read", "write"], 7);
    const [line] = (await written(batch)).toString().split("\n");
    expect(JSON.parse(line ?? "")).toEqual({
      time: 0,
      kind: "access",
      vcpu: 7,
      gpa: "0x2008",
      bytes: 0,
      errorCode: 0,
      access: "read+write",
      rip: "0x0",
    });
  });

  test("absent keys are 0, numbers may be hex, and the last line needs no newline", async () => {
    const text = `\r\n${WRITE}\r\n{"kind":"zap-all-fast"}\n{"gpa":8192,"errorCode":"0x182","rip":4294967297,"access":4}`;
    expect(await read(text)).toEqual([
      [4096, 0, 0, 0, 0, 2, 0, 0, 0],
      [0, 0, 0, 0, 2, 0, 0, 0, 0],
      [8192, 0, 0x182, 0, 0, 4, 0, 1, 1],
    ]);
  });

  test.each([
    ["{", "a JSON object"],
    ["[1]", "a JSON object"],
    ["null", "a JSON object"],
    ['{"gpa":"0x1000","access":"write"', "a JSON object"],
    ['{"gpa":"0x1000","acess":"write"}', "one of the keys kind, time"],
    ['{"__proto__":1,"access":"write"}', "one of the keys kind, time"],
    ['{"kind":"constructor"}', "a kind of event"],
    ['{"kind":0}', "a kind of event"],
    ['{"gpa":"0x1000"}', "an access that reads, writes or fetches"],
    ['{"gpa":"0x1000","access":8}', "an access that reads, writes or fetches"],
    ['{"gpa":"0x1000","access":"none"}', "an access that reads, writes or fetches"],
    ['{"gpa":"0x1000","access":"private"}', "access to be words"],
    ['{"gpa":"0x1000","access":["write"]}', "access to be words"],
    ['{"gpa":"0x10000000000000","access":"write"}', "a gpa below 2^52"],
    ['{"gpa":"0x10000000000000000","access":"write"}', "gpa to be a hex string"],
    ['{"gpa":-1,"access":"write"}', "a gpa below 2^52"],
    ['{"gpa":0.5,"access":"write"}', "a gpa below 2^52"],
    ['{"gpa":"4096","access":"write"}', "gpa to be a hex string"],
    ['{"gpa":null,"access":"write"}', "gpa to be a hex string"],
    ['{"gpa":0,"access":"write","vcpu":65536}', "a vcpu from 0 to 65535"],
    ['{"gpa":0,"access":"write","vcpu":"1"}', "vcpu to be a number"],
    ['{"gpa":0,"access":"write","time":1e999}', "a time in seconds"],
    ['{"gpa":0,"access":"write","errorCode":9007199254740992}', "an errorCode from 0 to"],
    ['{"gpa":0,"access":"write","rip":-1}', "rip to be a hex string"],
    ['{"kind":"hva-begin","gpa":"0x1fffffffffffff","bytes":4096}', "a range that ends"],
  ])("%s is refused with record and byte", async (line, expected) => {
    const error = await refusal(`${WRITE}\n${line}\n`);
    const offset = WRITE.length + 1;
    expect(error).toMatchObject({ name: "TraceError", format: "ndjson", record: 1, offset });
    expect(error.message).toContain(`record 1 (byte ${offset}): expected ${expected}`);
  });

  test("a line that does not end is refused before it fills memory", async () => {
    const endless = Readable.from(
      (function* () {
        yield Buffer.from(`${WRITE}\n`);
        for (;;) yield Buffer.alloc(2 ** 16, "x");
      })(),
    );
    const trace = await openTrace(endless, { format: "ndjson" });
    expect((await rejectionOf(rowsOf(trace.batches()))).message).toContain("a line of at most 65536 bytes");
  });

  test("damage anywhere gives rows or a TraceError, nothing else", async () => {
    const random = seeded(runSeed());
    const text = await written(everyEvent());
    for (let round = 0; round < 200; round++) {
      const damaged = Buffer.from(text);
      for (let change = 0; change <= round % 4; change++)
        damaged.writeUInt8(random.below(256), random.below(damaged.length));
      const ended = await read(damaged).catch((error: unknown) => error);
      if (!Array.isArray(ended)) expect(ended).toBeInstanceOf(TraceError);
    }
  });

  test.each([
    [[200, 0, 0, 0, 0], "a known kind of event"],
    [[0, 2 ** 52, 0, 0, 2], "a gpa below 2^52"],
    [[0, 0.5, 0, 0, 2], "a gpa below 2^52"],
    [[0, Number.NaN, 0, 0, 2], "a gpa below 2^52"],
    [[1, 0, -4096, 0, 0], "bytes from 0"],
  ])("a row of columns %j, which could not be read back, is not written", async (row, expected) => {
    const batch = new EventBatch(2);
    batch.pushAccess(0, "read");
    const [kind = 0, gpa = 0, bytes = 0, vcpu = 0, access = 0] = row;
    batch.pushRow(kind, gpa, bytes, vcpu, access);
    const error = await rejectionOf(written(batch));
    expect(error).toMatchObject({ code: "ERR_TRACE", values: { row: 1, kind } });
    expect(error.message).toContain(`expected ${expected}`);
  });
});
