/**
 * Recorded guests through projections, counted by the memslots and the bounce
 * buffer that their files name; nothing here runs the engine.
 */
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { EventBatch, KIND } from "../../lib/columns/event-batch.js";
import { createProjection } from "../../lib/projections/create-projection.js";
import type { Projection, ProjectionContext } from "../../lib/projections/projection.js";
import { type Capture, findCapture as captureOf } from "../../lib/trace/capture-json.js";
import { captureRecords, findCapture } from "../support/capture.js";

const SHARED = 2 ** 47;
const FS_BOUNCE = findCapture("fs-bounce-pc-2c-4g.faults.bin.br") as URL;
const MMIO = 136_174;
const FAULTS = 82_357;
/** 40 reads and fetches of ROM, and 53 writes to it. */
const READ_ONLY = 93;
/** Accesses to a page of RAM that are its second; none has a third. */
const SECOND = 563;

let trace: EventBatch;
let capture: Capture;

beforeAll(async () => {
  capture = (await captureOf(fileURLToPath(FS_BOUNCE))) as Capture;
  trace = new EventBatch(250_000);
  for await (const { kind, gpa, access, vcpu } of captureRecords(FS_BOUNCE)) {
    trace.pushRow(KIND[kind], gpa, 0, vcpu, access);
  }
});

const context = (kind: ProjectionContext["kind"]): ProjectionContext => ({
  aliases: [0, SHARED],
  kind,
  executeOnly: false,
  memslots: capture.memslots,
  bounce: capture.bounce,
  internalSlots: false,
});

interface Counts {
  bounced: number;
  readOnly: number;
  outside: number;
  /** RAM, the bounce buffer apart, through alias 1. */
  otherRam: number;
  throughHome: number;
}

function count(projection: Projection): Counts {
  const into = new EventBatch(1000);
  const counts: Counts = { bounced: 0, readOnly: 0, outside: 0, otherRam: 0, throughHome: 0 };
  for (let row = 0; row < trace.count; ) {
    into.reset();
    row = projection.project(trace, row, into);
    for (let at = 0; at < into.count; at++)
      if (into.kind[at] === KIND.access) add(counts, into.gpa[at] as number);
  }
  return counts;
}

function add(counts: Counts, issued: number): void {
  const gpa = issued % SHARED;
  const slot = capture.memslots.find((each) => gpa >= each.gpa && gpa < each.gpa + each.bytes);
  if (issued < SHARED) counts.throughHome++;
  else if (gpa >= 0xbbe30000 && gpa < 0xbfe30000) counts.bounced++;
  else if (slot === undefined) counts.outside++;
  else if (slot.readonly) counts.readOnly++;
  else counts.otherRam++;
}

describe("fs-bounce, private and shared", () => {
  test("bounce: 16,385 accesses to 16,384 pages of the buffer, ROM and MMIO are shared, the rest is private", async () => {
    const projection = await createProjection("bounce", context("private-shared"));
    const counts = count(projection);
    const throughHome = FAULTS - 16_385 - READ_ONLY;
    expect(counts).toEqual({ bounced: 16_385, readOnly: READ_ONLY, outside: MMIO, otherRam: 0, throughHome });
    expect(projection.conversions).toBe(16_384);
  });

  test("without a projection nothing is converted, and ROM and MMIO alone are shared", async () => {
    const projection = await createProjection(undefined, context("private-shared"));
    const counts = count(projection);
    const throughHome = FAULTS - READ_ONLY;
    expect(counts).toEqual({ bounced: 0, readOnly: READ_ONLY, outside: MMIO, otherRam: 0, throughHome });
    expect(projection.conversions).toBe(0);
  });
});

test("fs-bounce, attributes: churn after every access moves the second one to each page of RAM alone", async () => {
  const projection = await createProjection("churn:1,1", context("attribute"));
  const counts = count(projection);
  expect(counts).toMatchObject({ readOnly: 0, outside: 0, throughHome: FAULTS + MMIO - SECOND });
  expect(counts.bounced + counts.otherRam).toBe(SECOND);
  expect(projection.conversions).toBe(0);
});
