/**
 * Every projection against a slow one of its own, over random traces: the
 * same rows, however they are cut into batches.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createProjection } from "../../lib/projections/create-projection.js";
import type { ProjectionContext } from "../../lib/projections/projection.js";
import { isLongRun, runSeed } from "../support/random.js";
import { project, type TraceRow } from "./projection/reference-projection.js";
import { projected } from "./projection/rows.js";

const RUNS = isLongRun ? 5000 : 500;
const GiB = 2 ** 30;

const MEMSLOTS = [
  { gpa: 4 * GiB, bytes: GiB },
  { gpa: 0, bytes: 0xa0000 },
  { gpa: 0xc0000, bytes: 0x20000, readonly: true },
  { gpa: 0xe0000, bytes: 0x20000, readonly: false },
  { gpa: 0x100000, bytes: 64 * 4096 },
  { gpa: 0xfee00000 - 4096, bytes: 3 * 4096 },
  { gpa: 2 ** 45, bytes: 2 ** 44 },
];
const BASES = [
  0,
  0x9e000,
  0xbf000,
  0xdf000,
  0x13e000,
  0xfedff000,
  0xfeffb000,
  4 * GiB,
  5 * GiB - 4096,
  2 ** 45,
];

const MACHINES: readonly Pick<ProjectionContext, "aliases" | "kind" | "executeOnly">[] = [
  { kind: "private-shared", executeOnly: false, aliases: [0, 2 ** 47] },
  { kind: "attribute", executeOnly: true, aliases: [0, 2 ** 51] },
  { kind: "attribute", executeOnly: false, aliases: Array.from({ length: 16 }, (_, a) => a * 2 ** 47) },
];

const context = fc.record({
  machine: fc.constantFrom(...MACHINES),
  memslots: fc.subarray(MEMSLOTS),
  internalSlots: fc.boolean(),
});

// Few pages, so that each is met again and again.
const gpa = fc
  .tuple(fc.constantFrom(...BASES), fc.nat(3), fc.nat(4095))
  .map(([base, page, offset]) => base + page * 4096 + offset);

const row: fc.Arbitrary<TraceRow> = fc.record({
  kind: fc.oneof(
    { weight: 20, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 6 }) },
  ),
  gpa,
  bytes: fc.constant(0),
  errorCode: fc.nat(2 ** 16),
  vcpu: fc.nat(3),
  access: fc.integer({ min: 1, max: 7 }),
  time: fc.nat(1000),
  rip: fc.bigInt(0n, 2n ** 64n - 1n),
});

const seed = fc.oneof(fc.nat(5).map(BigInt), fc.bigInt(0n, 2n ** 64n - 1n));
const share = fc.oneof(fc.constantFrom(0, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true }));
const text = fc.oneof(
  fc.constant(undefined),
  fc.constant("bounce"),
  fc.constant("fetch"),
  fc.tuple(gpa, fc.integer({ min: 1, max: 2 ** 20 })).map(([at, bytes]) => `range:${at}-${at + bytes}`),
  fc.tuple(share, seed).map(([p, s]) => `fraction:${Math.abs(p)},${s}`),
  fc
    .tuple(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 6, max: 2 ** 28 - 1 })), seed)
    .map(([n, s]) => `churn:${n},${s}`),
);

function isRefused(asked: string | undefined, { kind, executeOnly }: (typeof MACHINES)[number]): boolean {
  return (asked === "bounce" && kind !== "private-shared") || (asked === "fetch" && !executeOnly);
}

describe("a projection gives what the slow one gives", () => {
  const bounce = { start: 0x101000, end: 0x103000 };
  const check = fc.asyncProperty(
    text,
    context,
    fc.array(row, { maxLength: 120 }),
    async (asked, { machine, ...rest }, trace) => {
      fc.pre(!isRefused(asked, machine));
      const whole: ProjectionContext = { ...machine, ...rest, bounce };
      const isIdentity = asked === undefined && machine.kind === "attribute";
      const expected = isIdentity ? trace : project(asked, whole, trace);
      for (const [taken, given] of [
        [200, 300],
        [1, 1],
        [7, 64],
        [64, 7],
        [200, 1],
      ] as const) {
        const projection = await createProjection(asked, whole);
        expect(await projected(trace, projection, taken, given)).toEqual(expected);
        expect(projection.conversions).toBe(expected.length - trace.length);
      }
    },
  );

  test("at every size of the batches that go in and come out", async () => {
    await fc.assert(check, { seed: runSeed(), numRuns: RUNS });
  });
});
