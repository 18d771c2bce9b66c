// What the engine is compared with does the work that it is timed for.
import { describe, expect, test } from "vitest";
import { mostTables, randomPages, type Shape, shuffled, spanOf } from "../../../lib/bench/pages.js";
import { HalvesTable } from "../../../lib/bench/peers/halves-table.js";

const WRITE = 2;
const SPARSE: Shape = { pages: 500, gib: 64 };

describe("a page table in Uint32Arrays", () => {
  test("answers as a Map does, with the entry's two halves, and 0 for what is not there", () => {
    const mapped = randomPages(SPARSE);
    const table = new HalvesTable(mostTables(SPARSE));
    const map = new Map<number, bigint>();
    for (const gpa of mapped) {
      table.insert(gpa, WRITE);
      map.set(gpa, BigInt(gpa) | 3n);
    }
    const others = Float64Array.from(mapped, (gpa) => (gpa + 4096 * 7) % spanOf(SPARSE));
    for (const gpas of [mapped, others]) {
      const [low, high] = [new Uint32Array(gpas.length), new Uint32Array(gpas.length)];
      table.walk(gpas, low, high);
      const words = Array.from(low, (half, i) => (BigInt(high[i] as number) << 32n) | BigInt(half));
      expect(words).toEqual(Array.from(gpas, (gpa) => map.get(gpa) ?? 0n));
    }
  });

  test("reaches the last page of 48 bits", () => {
    const gpa = 2 ** 48 - 4096;
    const table = new HalvesTable(3);
    table.insert(gpa, WRITE);
    const [low, high] = [new Uint32Array(1), new Uint32Array(1)];
    table.walk(Float64Array.of(gpa), low, high);
    expect([high[0], low[0]]).toEqual([0xffff, 0xfffff003]);
  });
});

describe("the pages of a trial", () => {
  test.each([{ pages: 2 ** 18, gib: 1 }, SPARSE])("are distinct, and of the span: %j", (shape) => {
    const gpas = randomPages(shape);
    expect(new Set(gpas).size).toBe(shape.pages);
    expect(gpas.every((gpa) => gpa % 4096 === 0 && gpa >= 0 && gpa < spanOf(shape))).toBe(true);
  });

  test("are the same in another order when they are shuffled", () => {
    const gpas = randomPages(SPARSE);
    const again = shuffled(gpas.slice(), 2);
    expect([...again]).not.toEqual([...gpas]);
    expect([...again].sort()).toEqual([...gpas].sort());
  });
});
