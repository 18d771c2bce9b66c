import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { captureJsonPath, findCapture, readMemslots } from "../../../lib/trace/capture-json.js";
import { rejectionOf } from "../thrown.js";
import { aFolder } from "./records.js";

const TiB = 2 ** 40;
const file = aFolder();

test.each([
  ["a/x.faults.bin.br", "a/x.json"],
  ["x.faults.bin", "x.json"],
  ["x.kvm_page_fault.txt.gz", "x.json"],
  ["a.b/x.y.access.u64.br", "a.b/x.y.json"],
  ["x.bin", undefined],
  ["x.faults.bin.br.part", undefined],
])("the file beside %s is %s", (trace, json) => {
  expect(captureJsonPath(trace)).toBe(json);
});

describe("a capture", () => {
  const capture = {
    memslots: [
      { slot: 0, gpa: "0x0", size: "0xc3000", readonly: false, region: "pc.ram", offset: "0x0" },
      { slot: 1, gpa: "0xc3000", size: "0x25000", readonly: true, region: "pc.ram", offset: "0xc3000" },
      { slot: 5, gpa: "0xfffc0000", size: "0x40000", readonly: true, region: "pc.bios", offset: "0x0" },
    ],
    by_vcpu: { "0": 5, "2": 1 },
    plugin_vcpus: ["a", "b"],
    markers_by_kind: { "1": 3, "2": 7 },
  };

  test("gives memslots, vCPUs and rounds; regions start at multiples of 1 TiB", async () => {
    file("c.json", JSON.stringify(capture));
    const path = file("c.faults.bin.br", "");
    const found = await findCapture(path);
    expect(found).toMatchObject({ vcpus: 3, dirtyRounds: 7 });
    expect(
      found?.memslots.map(({ id, gpa, bytes, hva, readonly }) => [id, gpa, bytes, hva, readonly]),
    ).toEqual([
      [0, 0, 0xc3000, TiB, false],
      [1, 0xc3000, 0x25000, TiB + 0xc3000, true],
      [5, 0xfffc0000, 0x40000, 2 * TiB, true],
    ]);
  });

  test.each([
    [
      ["area num 2.", "mapped [mem 0x00000000bbe30000-0x00000000bfe30000] (64MB)"],
      [0xbbe30000, 0xbfe30000],
    ],
    [["area num 2."], undefined],
    [[], undefined],
    [undefined, undefined],
    ["mapped", undefined],
  ])("swiotlb lines %j name the bounce buffer %j", async (swiotlb, range) => {
    file("b.json", JSON.stringify({ ...capture, swiotlb }));
    const found = await findCapture(file("b.faults.bin.br", ""));
    expect(found?.bounce).toEqual(range && { start: range[0], end: range[1] });
  });

  test("a bounce buffer that ends before it starts is refused with its file", async () => {
    file("e.json", JSON.stringify({ ...capture, swiotlb: ["mapped [mem 0x2000-0x1000] (0MB)"] }));
    const error = await rejectionOf(findCapture(file("e.faults.bin.br", "")));
    expect(error).toMatchObject({ name: "TraceError", format: "memslots" });
    expect(error.message).toMatch(/e\.json: swiotlb must be a range that ends behind its start/);
  });

  test("a region longer than 1 TiB pushes the next one to the next free multiple", async () => {
    const slots = [
      { slot: 0, gpa: 0, size: "1.5T", region: "a", offset: 0 },
      { slot: 1, gpa: "2T", size: "4K", region: "b", offset: "0x1000" },
      { slot: 2, gpa: "3T", size: "4K", region: "a", offset: 0 },
    ];
    const memslots = await readMemslots(file("long.json", JSON.stringify({ memslots: slots })));
    expect(memslots.map(({ hva }) => hva)).toEqual([TiB, 3 * TiB + 0x1000, TiB]);
  });

  test("a trace without a file beside it has no capture", async () => {
    expect(await findCapture(file("alone.faults.bin", ""))).toBeUndefined();
    expect(await findCapture(undefined)).toBeUndefined();
  });

  test("a file beside a trace that is no capture is refused, not ignored", async () => {
    file("broken.json", "{");
    const error = await rejectionOf(findCapture(file("broken.faults.bin", "")));
    expect(error).toMatchObject({ name: "TraceError", format: "memslots" });
    expect(error.message).toMatch(/broken\.json must be JSON/);
  });
});

describe("a plain array", () => {
  test("takes numbers, hex, suffixes, flags, hva and backing", async () => {
    const slots = [
      { slot: 0, gpa: 0, size: "2G", flags: 3, hva: "0x20000000000", backing: "2M" },
      { slot: 65_540, gpa: "0x80000000", size: 4096 },
    ];
    expect(await readMemslots(file("array.json", JSON.stringify(slots)))).toEqual([
      {
        id: 0,
        asId: 0,
        gpa: 0,
        bytes: 2 ** 31,
        hva: 2 ** 41,
        backing: "2M",
        readonly: true,
        dirtyLog: true,
      },
      { id: 4, asId: 1, gpa: 2 ** 31, bytes: 4096, readonly: false, dirtyLog: false },
    ]);
  });

  test.each([
    ["[]", "must be a non-empty array of memslots"],
    ['{"slots": []}', "must be a non-empty array of memslots"],
    ['{"memslots": []}', 'or an object with one under "memslots", got []'],
    ['[{"slot": 0, "gpa": 0, "size": 4096, "hav": 0}]', 'memslots[0] has no key "hav"; did you mean hva?'],
    ["[7]", "memslots[0] must be an object, got 7"],
    ['[{"gpa": 0, "size": 4096}]', "memslots[0].slot must be an integer"],
    ['[{"slot": 0, "size": 4096}]', "memslots[0].gpa must be a hex or decimal number"],
    [
      '[{"slot": 0, "gpa": "zero", "size": 4096}]',
      'memslots[0].gpa must be a hex or decimal number, with K, M, G or T if decimal, got "zero"',
    ],
    ['[{"slot": 0, "gpa": 0, "size": 4096}, {"slot": 1, "gpa": 4096}]', "memslots[1].size must be"],
    ['[{"slot": 0, "gpa": 0, "size": 4096, "flags": 4}]', "memslots[0].flags must be an integer from 0 to 3"],
    [
      '[{"slot": 0, "gpa": 0, "size": 4096, "backing": "8M"}]',
      'memslots[0].backing must be "4K", "2M" or "1G"',
    ],
  ])("%s is refused with file, entry and field", async (text, sentence) => {
    const path = file("bad.json", text);
    const error = await rejectionOf(readMemslots(path));
    expect(error.code).toBe("ERR_TRACE");
    expect(error.message).toContain(sentence);
    expect(error.message).toContain(path);
  });

  test("a file that is not there is the system's error", async () => {
    expect((await rejectionOf(readMemslots("/nonexistent.json"))).code).toBe("ENOENT");
  });

  test("a directory is the system's error, with its path", async () => {
    const path = dirname(file("x", ""));
    const error = await rejectionOf(readMemslots(path));
    expect(error).toMatchObject({ code: "EISDIR", path });
    expect(error.message).toContain(path);
  });
});
