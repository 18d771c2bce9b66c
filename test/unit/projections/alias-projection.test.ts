import { describe, expect, test } from "vitest";
import { EventBatch, KIND } from "../../../lib/columns/event-batch.js";
import { createProjection } from "../../../lib/projections/create-projection.js";
import { passThrough } from "../../../lib/projections/pass-through.js";
import type { ProjectionContext } from "../../../lib/projections/projection.js";
import { ATTRIBUTES } from "../../../lib/projections/rows.js";
import { thrownBy } from "../thrown.js";
import { NO_ALIAS, SEV, TDX, TWO_BITS, XO } from "./contexts.js";

const SHARED = 2 ** 47;
const ROM = 16 * 2 ** 20;
const HOLE = 0xfee00000;

/** What becomes of these accesses, as `gpa` or `gpa to shared|private`. */
async function through(
  text: string | undefined,
  context: ProjectionContext,
  gpas: readonly number[],
): Promise<(number | string)[]> {
  const source = new EventBatch(gpas.length + 1);
  for (const gpa of gpas) source.pushAccess(gpa, "fetch");
  const into = new EventBatch(100);
  expect((await createProjection(text, context)).project(source, 0, into)).toBe(gpas.length);
  return Array.from({ length: into.count }, (_, at) => {
    const gpa = into.gpa[at] as number;
    if (into.kind[at] === KIND.access) return gpa;
    return `${gpa} to ${into.access[at] === 3 ? "private" : "shared"}`;
  });
}

describe("private and shared memory", () => {
  test("without a projection RAM is private and everything else is shared, unconverted", async () => {
    const rows = await through(undefined, TDX, [0x1234, ROM + 8, HOLE, 0x1234]);
    expect(rows).toEqual([0x1234, ROM + 8 + SHARED, HOLE + SHARED, 0x1234]);
  });

  test("a page is converted only when its alias changes", async () => {
    const rows = await through("range:0x1800-0x2000", TDX, [0x1000, 0x1800, 0x1ff8, 0x1000, 0x1004, 0x2000]);
    expect(rows).toEqual([
      0x1000,
      `${0x1000} to shared`,
      0x1800 + SHARED,
      0x1ff8 + SHARED,
      `${0x1000} to private`,
      0x1000,
      0x1004,
      0x2000,
    ]);
  });

  test("churn with n = 1 changes the alias of every access and leaves ROM shared", async () => {
    const rows = await through("churn:1,5", TDX, [0, 0, ROM, 0, ROM]);
    expect(rows).toEqual([0, "0 to shared", SHARED, ROM + SHARED, "0 to private", 0, ROM + SHARED]);
  });

  test("a conversion has one page, the access's vCPU, time and rip, and no error code", async () => {
    const source = new EventBatch(2, { extra: true });
    source.pushAccess(0x1abc, "write", 3);
    source.errorCode[0] = 6;
    Object.assign(source.time as object, [1.5]);
    Object.assign(source.ripLow as object, [7]);
    Object.assign(source.ripHigh as object, [9]);
    const into = new EventBatch(2, { extra: true });
    (await createProjection("range:0-4G", TDX)).project(source, 0, into);
    const columns = [into.gpa, into.bytes, into.errorCode, into.vcpu, into.kind, into.access];
    expect(columns.map((column) => column[0])).toEqual([0x1000, 4096, 0, 3, ATTRIBUTES, 2]);
    expect(columns.map((column) => column[1])).toEqual([0x1abc + SHARED, 0, 6, 3, 0, 2]);
    expect([into.time, into.ripLow, into.ripHigh].map((column) => [...(column ?? [])])).toEqual([
      [1.5, 1.5],
      [7, 7],
      [9, 9],
    ]);
  });

  test("KVM's own slots are shared even where a memslot lies", async () => {
    const context = { ...TDX, memslots: [{ gpa: 0, bytes: 2 ** 33 }], internalSlots: true };
    const gpas = [0xfedff000, 0xfee00000, 0xfee01000, 0xfeffb000, 0xfeffc000, 0xfeffffff, 0xff000000];
    const moved = [0, SHARED, 0, 0, SHARED, SHARED, 0];
    expect(await through(undefined, context, gpas)).toEqual(gpas.map((gpa, i) => gpa + (moved[i] ?? 0)));
    expect(await through(undefined, { ...context, internalSlots: false }, gpas)).toEqual(gpas);
  });
});

describe("aliases that are attributes", () => {
  test("range and fetch move ROM and MMIO too, and nothing is converted", async () => {
    expect(await through("range:0-4G", XO, [8, ROM, HOLE])).toEqual(
      [8, ROM, HOLE].map((gpa) => gpa + SHARED),
    );
    expect(await through("fetch", XO, [8, ROM, HOLE])).toEqual([8, ROM, HOLE].map((gpa) => gpa + SHARED));
    expect(await through("fraction:1,3", XO, [ROM])).toEqual([ROM + SHARED]);
  });

  test("churn walks through every alias in turn, and moves RAM alone", async () => {
    const bit = 2 ** 46;
    const rows = await through("churn:1,9", TWO_BITS, [8, 8, 8, 8, 8, ROM, ROM, HOLE, HOLE]);
    expect(rows).toEqual([8, 8 + bit, 8 + 2 * bit, 8 + 3 * bit, 8, ROM, ROM, HOLE, HOLE]);
  });

  test("an access that fetches and reads stays with alias 0", async () => {
    const source = new EventBatch(1);
    source.pushAccess(8, ["read", "fetch"]);
    const into = new EventBatch(1);
    (await createProjection("fetch", XO)).project(source, 0, into);
    expect(into.gpa[0]).toBe(8);
  });
});

describe("operations", () => {
  test("pass unchanged and do not start a page's count again", async () => {
    const source = new EventBatch(3);
    source.pushAccess(0, "write");
    source.pushOperation("zap", 0x1000, 0x2000);
    source.pushAccess(0, "write");
    const into = new EventBatch(3);
    (await createProjection("churn:1,1", TWO_BITS)).project(source, 0, into);
    expect([...into.gpa]).toEqual([0, 0x1000, 2 ** 46]);
    expect([...into.bytes]).toEqual([0, 0x2000, 0]);
  });
});

describe("a trace's own alias bits", () => {
  const source = new EventBatch(4);
  source.pushOperation("zap-all-fast");
  source.pushAccess(0x1000, "read");
  source.pushAccess(SHARED + 0x1234, "read");

  test("are refused by event and address, counted over the whole trace", async () => {
    const projection = await createProjection(undefined, TDX);
    projection.project(source, 0, new EventBatch(2));
    const error = thrownBy(() => projection.project(source, 2, new EventBatch(8)));
    expect(error).toMatchObject({ name: "TraceError", code: "ERR_TRACE" });
    expect(error.message).toBe(
      "event 2: the trace's own address 0x800000001234 carries the alias bit; a projection is for traces without",
    );
    expect(error["values"]).toEqual({ event: 2, gpa: SHARED + 0x1234 });
  });

  test.each([
    ["passThrough()", () => passThrough()],
    ["attributes", () => createProjection(undefined, XO)],
    ["no alias bits", () => createProjection(undefined, NO_ALIAS)],
    ["stripped ones", () => createProjection(undefined, SEV)],
  ])("pass unchanged without a projection: %s", async (_, make) => {
    const into = new EventBatch(4);
    const projection = await make();
    expect(projection.project(source, 0, into)).toBe(3);
    expect([...into.gpa.subarray(0, 3)]).toEqual([0, 0x1000, SHARED + 0x1234]);
    expect([projection.text, projection.conversions]).toEqual([undefined, 0]);
  });

  test("an address that is wider than the machine's is left to the VM to refuse", async () => {
    expect(await through(undefined, TDX, [2 ** 50])).toEqual([2 ** 50]);
  });
});

describe("refused uses", () => {
  test("a batch that is not being filled, and a row that the source has not", async () => {
    const projection = await createProjection(undefined, TDX);
    const [source, into] = [new EventBatch(1), new EventBatch(1)];
    expect(thrownBy(() => projection.project(source, 1, into))["code"]).toBe("ERR_CONFIG");
    expect(thrownBy(() => passThrough().project(source, 1, into))["code"]).toBe("ERR_CONFIG");
    into.beginRun();
    expect(thrownBy(() => projection.project(source, 0, into))["code"]).toBe("ERR_BUSY");
    expect(thrownBy(() => passThrough().project(source, 0, into))["code"]).toBe("ERR_BUSY");
  });
});
