import { expect, test } from "vitest";
import { type Access, EventBatch } from "../../../lib/columns/event-batch.js";
import { pferrOf, qualificationOf } from "../../../lib/trace/fault-code.js";

function anAccess(access: readonly Access[], errorCode: number): EventBatch {
  const batch = new EventBatch(1);
  batch.pushAccess(0, access);
  batch.errorCode[0] = errorCode;
  return batch;
}

// Pairs that the captures have in both of their files.
const pairs: [readonly Access[], number, number][] = [
  [["read"], 0x4, 0x181],
  [["write"], 0x2, 0x182],
  [["read", "write"], 0x6, 0x183],
  [["fetch"], 0x10, 0x184],
  [["write"], 0x3, 0x1aa],
  [["read", "write"], 0x7, 0x1ab],
];

test.each(pairs)(
  "%o: PFERR 0x%x and qualification 0x%x are the same fault, both ways",
  (access, pferr, qualification) => {
    expect([pferrOf(anAccess(access, pferr), 0), qualificationOf(anAccess(access, pferr), 0)]).toEqual([
      pferr,
      qualification,
    ]);
    expect([
      pferrOf(anAccess(access, qualification), 0),
      qualificationOf(anAccess(access, qualification), 0),
    ]).toEqual([pferr, qualification]);
  },
);

test("bits of a qualification that PFERR cannot say survive where they can", () => {
  expect(qualificationOf(anAccess(["read"], 0x781), 0)).toBe(0x781);
});

test("an access without a recorded code is a fault on a page that is not mapped", () => {
  expect([pferrOf(anAccess(["write"], 0), 0), qualificationOf(anAccess(["write"], 0), 0)]).toEqual([
    2, 0x182,
  ]);
});
