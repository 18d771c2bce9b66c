// Random scripts of a guest's own tables, asked of the engine in place of a
// kernel, with and without a rule of its own; and the CPUID that they set.
import { describe, expect, test } from "vitest";
import { cpuidWords } from "../../../lib/kvm/cpuid.js";
import { kernelOf } from "../../../lib/kvm/kernel.js";
import { liveKinds } from "../../../lib/kvm/registry.js";
import { SideBySideRun } from "../../../lib/kvm/side-by-side.js";
import type { AskedStep } from "../../../lib/kvm/translate/ask.js";
import { loadAddon } from "../../../lib/native/addon.js";
import { vectorKinds } from "../../../lib/vectors/registry.js";
import { EngineGuestKvm } from "../../support/engine-guest-kvm.js";
import { hasAddon } from "../with-addon.js";

async function guestsBeside(live: EngineGuestKvm, seed: number, cases: number) {
  const kernel = kernelOf(live, "a test's");
  const kinds = (await liveKinds()).filter(({ name }) => name === "translate");
  const parties = { live, kernel, addon: loadAddon(), liveKinds: kinds, vectorKinds: await vectorKinds() };
  return new SideBySideRun(parties, {}).play(seed, cases);
}

/** It takes an address whose upper bits are not all the same for the one that they should be. */
class MakesCanonical extends EngineGuestKvm {
  constructor() {
    super();
    const { translate } = this;
    this.translate = (vcpu, gva) => translate(vcpu, BigInt.asUintN(64, BigInt.asIntN(48, gva)));
  }
}

/** Its walker leaves a table's Accessed bits alone. */
class ForgetsAccessed extends EngineGuestKvm {
  override readMemory(hva: bigint, bytes: number): readonly [string, Uint8Array] {
    const [outcome, read] = super.readMemory(hva, bytes);
    for (let at = 0; at < read.length; at += 8) read[at] = (read[at] as number) & ~0x20;
    return [outcome, read];
  }
}

const stepsOf = (vector: Readonly<Record<string, unknown>> | undefined) => vector?.["steps"] as AskedStep[];

describe.skipIf(!hasAddon)("a guest's own tables", () => {
  test.each([1, 2])("the engine beside itself differs in no script of seed %i", async (seed) => {
    expect(await guestsBeside(new EngineGuestKvm(), seed, 60)).toEqual({
      cases: 60,
      unsteady: 0,
      kinds: [{ kind: "translate", cases: 60 }],
      difference: null,
    });
  });

  test("a kernel with a rule of its own is found, and one address is left of the script", async () => {
    const { difference } = await guestsBeside(new MakesCanonical(), 1, 1000);
    const steps = stepsOf(difference?.vector);
    expect(steps).toHaveLength(1);
    expect(steps[0]?.gvas).toEqual(["0x800000000000"]);
    expect(difference).toMatchObject({ kind: "translate", step: 0, op: ["pa", expect.anything()] });
    expect(difference?.kernel).toEqual([["0xffff800000000000"]]);
    expect(difference?.kernel).not.toEqual(difference?.engine);
  });

  test("a bit that it leaves alone is found in memory, and the way to it is left: an entry a level", async () => {
    const { difference } = await guestsBeside(new ForgetsAccessed(), 1, 1000);
    const [step] = stepsOf(difference?.vector);
    expect(difference?.op[0]).toBe("mem");
    expect(step?.gvas).toHaveLength(1);
    expect(step?.mem?.length).toBeLessThanOrEqual(4);
    expect(step?.slots?.length).toBeLessThanOrEqual(2);
  });
});

describe("a guest's CPUID", () => {
  const leaves = (words: Uint32Array) =>
    new Map(
      Array.from({ length: words.length / 7 }, (_, at) => [words[7 * at], [...words.subarray(7 * at)]]),
    );
  const none = { vendor: "intel", maxphyaddr: 40, feat: [] };

  test("names its vendor as leaf 0 has it", () => {
    expect(leaves(cpuidWords(none)).get(0)?.slice(4, 7)).toEqual([0x756e_6547, 0x6c65_746e, 0x4965_6e69]);
    const amd = cpuidWords({ ...none, vendor: "amd" });
    expect(leaves(amd).get(0)?.slice(4, 7)).toEqual([0x6874_7541, 0x444d_4163, 0x6974_6e65]);
  });

  test("says how wide addresses are in a leaf that may be absent", () => {
    expect((leaves(cpuidWords(none)).get(0x8000_0008)?.[3] as number) % 256).toBe(40);
    const without = leaves(cpuidWords({ ...none, maxphyaddr: null }));
    expect([without.has(0x8000_0008), without.get(0x8000_0000)?.[3]]).toEqual([false, 0x8000_0001]);
  });

  test("has each feature in its bit", () => {
    const all = leaves(cpuidWords({ ...none, feat: ["pae", "smap", "la57", "lm", "nx"] }));
    expect([all.get(1)?.[6], all.get(7)?.slice(4, 6)]).toEqual([2 ** 6, [2 ** 20, 2 ** 16]]);
    expect(all.get(0x8000_0001)?.[6]).toBe(2 ** 29 + 2 ** 20);
  });
});
