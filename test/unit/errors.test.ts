import { describe, expect, test } from "vitest";
import { attempt, fromDecoder, fromNative, inTrace, MmuError, TraceError } from "../../lib/errors.js";
import { thrownBy } from "./thrown.js";

function nativeError(code: string, message: string, values: Record<string, number>, errno = ""): Error {
  return Object.assign(new Error(message), { code, errno, values });
}

describe("fromNative", () => {
  test("keeps code, errno, values, message and the native stack", () => {
    const native = nativeError("ERR_MEMSLOT_OVERLAP", "memslot overlaps", { id: 3 }, "EEXIST");
    const error = fromNative(native) as MmuError;
    expect(error).toBeInstanceOf(MmuError);
    expect(error).toMatchObject({ code: "ERR_MEMSLOT_OVERLAP", errno: "EEXIST", values: { id: 3 } });
    expect(error.message).toBe("memslot overlaps");
    const frames = native.stack?.split("\n    at ").slice(1);
    expect(frames?.length).toBeGreaterThan(0);
    expect(error.stack).toBe(["MmuError: memslot overlaps", ...(frames ?? [])].join("\n    at "));
  });

  test("leaves what the addon did not refuse as it is", () => {
    for (const other of [
      new TypeError("x"),
      Object.assign(new Error("y"), { code: "ENOENT" }),
      "text",
      undefined,
    ]) {
      expect(fromNative(other)).toBe(other);
    }
  });

  test("attempt converts what a call throws and returns what it returns", () => {
    expect(attempt(() => 7)).toBe(7);
    const error = thrownBy(() =>
      attempt(() => {
        throw nativeError("ERR_CLOSED", "the VM is closed", {});
      }),
    );
    expect(error).toBeInstanceOf(MmuError);
  });
});

describe("fromDecoder", () => {
  test("names file, record and byte, and what was expected there", () => {
    const native = nativeError("ERR_TRACE", "flags within 0x3f", { offset: 96, record: 3 });
    const error = fromDecoder(native, "binary", "x.bin") as TraceError;
    expect(error).toBeInstanceOf(TraceError);
    expect(error).toMatchObject({ code: "ERR_TRACE", format: "binary", offset: 96, record: 3 });
    expect(error.message).toBe("x.bin: record 3 (byte 96): expected flags within 0x3f");
  });

  test("speaks of lines where the decoder does", () => {
    const native = nativeError("ERR_TRACE", "a gpa", { offset: 5, line: 2 });
    expect(String(fromDecoder(native, "ftrace", "x"))).toContain("x: line 2 (byte 5): expected a gpa");
  });

  test("another refusal stays an MmuError", () => {
    const error = fromDecoder(nativeError("ERR_IO", "the file has shrunk", {}), "binary", "x");
    expect(error).toBeInstanceOf(MmuError);
    expect(error).not.toBeInstanceOf(TraceError);
  });
});

describe("inTrace", () => {
  test("a row of a batch becomes an event of the trace", () => {
    const error = new MmuError("ERR_EVENT", "event 5: gpa too large, got 0x1", {
      values: { row: 5, applied: 0 },
    });
    expect(inTrace(error, 100, 100)).toMatchObject({
      message: "event 105: gpa too large, got 0x1",
      values: { row: 105, applied: 100 },
    });
    expect(error.stack).toContain("event 105:");
  });

  test("an abort says how far the whole trace came", () => {
    const error = new MmuError("ERR_ABORTED", "aborted after 7 events", { values: { applied: 7 } });
    expect(inTrace(error, 100, 107)).toMatchObject({
      message: "aborted after 107 events",
      values: { applied: 107 },
    });
  });

  test("a damaged trace stays a TraceError and says what was applied", () => {
    const error = inTrace(new TraceError("x: cut", { offset: 9 }), 4, 4);
    expect(error).toBeInstanceOf(TraceError);
    expect(error).toMatchObject({ offset: 9, values: { applied: 4 } });
  });

  test("errors of others pass", () => {
    const other = new RangeError("x");
    expect(inTrace(other, 1, 1)).toBe(other);
  });
});

test("error classes have names, so that logs show them", () => {
  expect(String(new MmuError("ERR_BUSY", "x"))).toBe("MmuError: x");
  expect(String(new TraceError("x"))).toBe("TraceError: x");
  expect(new TraceError("x").code).toBe("ERR_TRACE");
});
