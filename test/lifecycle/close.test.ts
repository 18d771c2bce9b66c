import { expect, test } from "vitest";
import { type Refusal, reportOf } from "./run-fixture.js";

interface Closed {
  error: Refusal;
  closed: boolean;
  rows: number;
  applied: number;
}

test("closing a running VM rejects its run with ERR_CLOSED and the rows applied so far", async () => {
  const { error, closed, rows, applied } = await reportOf<Closed>("close-during-run");
  expect(closed).toBe(true);
  expect(error).toMatchObject({ type: "Error", code: "ERR_CLOSED", errno: "", message: "the VM is closed" });
  expect(error.values).toEqual({ applied });
  expect(applied).toBeGreaterThan(0);
  expect(applied).toBeLessThan(rows);
  expect(applied % 1024).toBe(0);
});

test("the stack of a rejection leads to the caller of run", async () => {
  const { error } = await reportOf<Closed>("close-during-run");
  const [heading, ...frames] = error.stack.split("\n");
  expect(heading).toBe("Error: the VM is closed");
  expect(frames.join("\n")).toContain("startTheRun");
});

interface Aborted {
  error: Refusal;
  busy: Record<string, Refusal>;
  rows: number;
  applied: number;
  outcomesWritten: number;
  after: number;
}

test("an aborted run rejects with ERR_ABORTED, its rows hold their outcomes, and the VM goes on", async () => {
  const { error, rows, applied, outcomesWritten, after } = await reportOf<Aborted>("abort-during-run");
  expect(error).toMatchObject({ code: "ERR_ABORTED", values: { applied } });
  expect(error.message).toBe(`aborted after ${applied} events`);
  expect(applied).toBeLessThan(rows);
  expect(outcomesWritten).toBe(applied);
  expect(after).toBe(16);
});

test("a running VM refuses every other use of its machine with ERR_BUSY", async () => {
  const { busy } = await reportOf<Aborted>("abort-during-run");
  const codes = Object.fromEntries(Object.entries(busy).map(([name, { code }]) => [name, code]));
  expect(codes).toEqual({ run: "ERR_BUSY", runSync: "ERR_BUSY", stats: "ERR_BUSY", step: "ERR_BUSY" });
});

interface AfterClose {
  codes: Record<string, string>;
  closed: boolean;
  applied: number[];
  trapped: string;
  rows: number;
}

test("a closed VM refuses every call with ERR_CLOSED, except close, abort, closed and applied", async () => {
  const { codes, closed, applied, rows } = await reportOf<AfterClose>("closed-vm");
  expect(Object.keys(codes)).toHaveLength(13);
  expect(new Set(Object.values(codes))).toEqual(new Set(["ERR_CLOSED"]));
  expect(closed).toBe(true);
  expect(applied).toEqual([rows, rows]);
});

test("a getter that closes the VM while arguments are read meets ERR_CLOSED", async () => {
  expect((await reportOf<AfterClose>("closed-vm")).trapped).toBe("ERR_CLOSED");
});
