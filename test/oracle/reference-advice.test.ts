/** The model's advice about flushes: which aliases had nothing to lose. */
import { describe, expect, test } from "vitest";
import { access, KiB, operate, withSlot } from "./reference/builders.js";
import { WRITE } from "./reference/types.js";

const PAGE = 4 * KiB;
const [A, B] = [0, 2 ** 47];

/** How often the zap of one page, touched through these addresses, was advised against. */
function advised(
  policy: string,
  preset: string,
  touched: readonly number[],
  mmu: "tdp" | "rmap" = "rmap",
  flushProvider = "hyperv",
) {
  const vm = withSlot({ bytes: PAGE }, { policy, preset, flushProvider, mmu });
  for (const gpa of touched) access(vm, gpa, WRITE);
  operate(vm, "zap", 0, PAGE);
  expect(vm.violations().filter(({ rule }) => rule === "flush-wider-than-live")).toEqual([]);
  return vm.advisories().map(({ rule, count }) => `${rule} ${count}`);
}

const ONCE = ["flush-wider-than-live 1"];

describe("flush-wider-than-live", () => {
  test.each([
    ["stolen-bits", "bits:47", [A], ONCE],
    ["stolen-bits", "bits:47", [B], ONCE],
    ["stolen-bits", "bits:47", [A, B], []],
    ["stolen-bits", "bits:46,47", [A, B], ONCE],
    ["v5-as-posted", "bits:46,47", [A], ONCE],
    ["v5-as-posted", "bits:47", [A], []],
    ["v5-as-reviewed", "bits:47", [A], ONCE],
    ["precise", "bits:46,47", [A], []],
    ["precise", "bits:47", [B], []],
  ])("%s, %s, touched %j", (policy, preset, touched, expected) => {
    expect(advised(policy, preset, touched)).toEqual(expected);
  });

  test("a shared leaf was live through both of its aliases, if both lead there", () => {
    expect(advised("v5-as-reviewed", "bits:47", [A, B])).toEqual([]);
    expect(advised("v5-as-reviewed", "bits:47", [A, B], "tdp")).toEqual(ONCE);
  });

  test("nothing narrower than everything is to be had without a provider", () => {
    expect(advised("stolen-bits", "bits:47", [A], "rmap", "none")).toEqual([]);
  });
});
