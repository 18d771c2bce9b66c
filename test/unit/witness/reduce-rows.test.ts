/** Delta debugging by itself, over rows that mean nothing. */
import { assert, asyncProperty, integer, uniqueArray } from "fast-check";
import { expect, test } from "vitest";
import { reduceRows } from "../../../lib/witness/reduce-rows.js";

const upTo = (count: number) => Uint32Array.from({ length: count }, (_, row) => row);

/** Fires once all of these rows have come, wherever others stand between them. */
const needs =
  (wanted: readonly number[], asked: { count: number; rows: number }) => async (chosen: Uint32Array) => {
    asked.count++;
    asked.rows += chosen.length;
    const places = wanted.map((row) => chosen.indexOf(row));
    return places.includes(-1) ? 0 : Math.max(0, ...places) + 1;
  };

const anAsk = () => ({ count: 0, rows: 0 });

test("rows that are all needed are what is left, whichever they are", async () => {
  const rows = uniqueArray(integer({ min: 0, max: 999 }), { minLength: 1, maxLength: 12 });
  await assert(
    asyncProperty(rows, async (wanted) => {
      const all = upTo(Math.max(...wanted) + 1);
      const left = await reduceRows(all, needs(wanted, anAsk()), () => {});
      expect([...left]).toEqual([...wanted].sort((a, b) => a - b));
    }),
  );
});

test("nothing of what is left can be left out, where either of two ways is enough", async () => {
  const way = uniqueArray(integer({ min: 0, max: 199 }), { minLength: 1, maxLength: 6 });
  await assert(
    asyncProperty(way, way, async (one, other) => {
      const fires = async (chosen: Uint32Array) =>
        (await needs(one, anAsk())(chosen)) || (await needs(other, anAsk())(chosen));
      const left = await reduceRows(upTo(200), fires, () => {});
      expect(await fires(left)).toBeGreaterThan(0);
      for (const row of left) expect(await fires(left.filter((each) => each !== row))).toBe(0);
    }),
  );
});

test("every choice that is told fires, and none is longer than the one before", async () => {
  const fires = needs([3, 500, 900], anAsk());
  const told: Uint32Array[] = [];
  await reduceRows(upTo(1000), fires, (chosen) => told.push(chosen));
  for (const chosen of told) expect(await fires(chosen)).toBeGreaterThan(0);
  for (const [at, chosen] of told.entries()) {
    expect(chosen.length).toBeLessThanOrEqual(told[at - 1]?.length ?? 1000);
  }
});

test("ten rows of 65,536 cost no more than a hundred looks at all of them", async () => {
  const count = 2 ** 16;
  const wanted = Array.from({ length: 10 }, (_, at) => Math.floor((at * count) / 10) + 7);
  const asked = anAsk();
  const left = await reduceRows(upTo(count), needs(wanted, asked), () => {});
  expect([...left]).toEqual(wanted);
  expect(asked.rows / count).toBeLessThan(100);
});

test("what stands right in front of the end is found in few looks, however much is before it", async () => {
  const count = 2 ** 20;
  const asked = anAsk();
  await reduceRows(upTo(count), needs([count - 5, count - 1], asked), () => {});
  expect(asked.rows).toBeLessThan(100);
});
