import { describe, expect, test } from "vitest";
import { carriesAliasBit, createProjection } from "../../../lib/projections/create-projection.js";
import { projectionKinds } from "../../../lib/projections/registry.js";
import { rejectionOf } from "../thrown.js";
import { NO_ALIAS, SEV, TDX, TWO_BITS, XO } from "./contexts.js";

const BOUNCE = { ...TDX, bounce: { start: 0x1000, end: 0x3000 } };

test("the kinds are the files of the folder, each with the syntax of its name", async () => {
  const kinds = await projectionKinds();
  expect(kinds.map(({ name }) => name)).toEqual(["bounce", "churn", "fetch", "fraction", "range"]);
  for (const { name, syntax } of kinds) expect(syntax.split(":")[0]).toBe(name);
});

test.each([
  ["range:0-4K", TDX, "range:0x0-0x1000"],
  ["range:0x10000-1.5G", TDX, "range:0x10000-0x60000000"],
  ["bounce", BOUNCE, "bounce"],
  ["fetch", XO, "fetch"],
  ["fraction:0.50,7", TWO_BITS, "fraction:0.5,7"],
  ["fraction:1e-3,0xff", TWO_BITS, "fraction:0.001,255"],
  ["fraction:1,18446744073709551615", TDX, "fraction:1,18446744073709551615"],
  ["churn:64,0", TDX, "churn:64,0"],
  ["churn:1K,0xffffffffffffffff", TDX, "churn:1024,18446744073709551615"],
])("%s is written in full as %3$s", async (text, context, full) => {
  expect((await createProjection(text, context)).text).toBe(full);
  // What a report shows can be asked for again.
  expect((await createProjection(full, context)).text).toBe(full);
});

describe("what is written wrongly is refused", () => {
  test.each([
    ["", 'project must be one of "bounce", "churn", "fetch", "fraction", "range", got ""'],
    ["churm:1,2", '(did you mean churn?), got "churm"'],
    ["churn", 'project must be churn:<n>,<seed>, got "churn"'],
    ["churn:5", 'project must be churn:<n>,<seed>, got "churn:5"'],
    ["churn:1,2,3", "project must be churn:<n>,<seed>"],
    ["churn:0,1", "project: n must be an integer from 1 to 268435455, got 0"],
    ["churn:256M,1", "project: n must be an integer from 1 to 268435455, got 268435456"],
    ["churn:-1,1", "project: n must be a hex or decimal number"],
    ["churn:1,x", 'project: seed must be a hex or decimal number, got "x"'],
    ["churn:1,18446744073709551616", "project: seed must be from 0 to 2^64 - 1"],
    ["fraction:1.5,1", "project: p must be from 0 to 1, got 1.5"],
    ["fraction:-0.5,1", "project must be fraction:<p>,<seed>"],
    ["fraction:0x1,1", "project must be fraction:<p>,<seed>"],
    ["fraction:.5", "project must be fraction:<p>,<seed>"],
    ["range:4K", "project must be range:<start>-<end>"],
    ["range:4K-4K", 'project must be a range that ends behind its start, got "range:4K-4K"'],
    ["range:x-4K", "project: start must be a hex or decimal number"],
    ["range:0-8192T", "project: end must be an integer from 0 to 0x10000000000000"],
    ["bounce:1", 'project must be bounce, got "bounce:1"'],
  ])("%j", async (text, sentence) => {
    const error = await rejectionOf(createProjection(text, BOUNCE));
    expect(error.message).toContain(sentence);
    expect(error.code).toBe("ERR_CONFIG");
  });

  test("what is no text at all", async () => {
    const error = await rejectionOf(createProjection(7 as never, TDX));
    expect(error.message).toBe("project must be a string, got 7");
  });
});

test.each([
  ["churn:64,1", NO_ALIAS, "absent, as the preset has no alias bit"],
  ["range:0-1G", SEV, "absent, as the hardware strips the preset's alias bit"],
  ["bounce", TDX, "used with a capture whose .json names a bounce buffer"],
  ["bounce", XO, "used with a preset of private and shared memory"],
  ["fetch", TDX, "used with a preset whose alias is execute-only"],
  ["fetch", TWO_BITS, "used with a preset whose alias is execute-only"],
])("%s contradicts its machine", async (text, context, sentence) => {
  const error = await rejectionOf(createProjection(text, context));
  expect(error).toBeInstanceOf(RangeError);
  expect(error.message).toBe(`project must be ${sentence}, got "${text}"`);
});

test("an address carries an alias bit from the lowest one on, and never without aliases", () => {
  expect(carriesAliasBit(2 ** 47 - 1, TDX)).toBe(false);
  expect(carriesAliasBit(2 ** 47, TDX)).toBe(true);
  expect(carriesAliasBit(2 ** 51, NO_ALIAS)).toBe(false);
});
