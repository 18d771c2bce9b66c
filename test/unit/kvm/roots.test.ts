// What random scripts of roots are, whatever their seed, and how one is asked.
import { describe, expect, test } from "vitest";
import mmuroots from "../../../lib/kvm/kinds/mmuroots.js";
import { Unaskable } from "../../../lib/kvm/live-kind.js";
import { COUNTED, RootsAsker } from "../../../lib/kvm/mmuroots/ask.js";
import { generateRoots } from "../../../lib/kvm/mmuroots/generate.js";
import { opsOf } from "../../../lib/kvm/op-scripts.js";
import { Random } from "../../../lib/kvm/random.js";
import type { NativeLiveKvm } from "../../../lib/native/addon-types.js";
import { thrownBy } from "../thrown.js";

const scripts = Array.from({ length: 500 }, (_, at) => generateRoots(new Random(4, at)));

describe("500 scripts of roots", () => {
  test("name a vCPU that is there or the next, and no more than four", () => {
    for (const ops of scripts) {
      let count = 1;
      for (const [name, number] of ops.filter(([each]) => each === "vcpu")) {
        expect(name === "vcpu" && (number as number) <= count).toBe(true);
        count = Math.max(count, (number as number) + 1);
      }
      expect(count).toBeLessThanOrEqual(4);
    }
  });

  test("set slots that cannot meet, and of a size that does not change", () => {
    for (const ops of scripts) {
      const there = new Map<number, string>();
      for (const [, id, gpa, size] of ops.filter(([name]) => name === "slot") as [
        string,
        number,
        string,
        string,
      ][]) {
        expect(BigInt(gpa) % 4096n).toBe(0n);
        if (there.has(id) && size !== "0x0") expect(size).toBe(there.get(id));
        if (size === "0x0") expect(there.delete(id)).toBe(true);
        else there.set(id, size);
      }
    }
  });

  test("load a root after registers change, so that it is seen", () => {
    for (const ops of scripts)
      for (const [at, [name]] of ops.entries())
        if (name === "sregs") expect(ops[at + 1]?.[0]).toBe("prefault");
  });

  test("lose an operation or a bit where they are made simpler, and never the VM", () => {
    const ops = scripts[3] as NonNullable<(typeof scripts)[number]>;
    const simpler = [...mmuroots.simpler({ id: "s", kind: "mix", ops, res: [] })];
    expect(simpler.length).toBeGreaterThan(ops.length);
    for (const each of simpler) {
      expect(opsOf(each)[0]).toEqual(["vm"]);
      expect(each).not.toHaveProperty("res");
    }
  });
});

/** A kernel whose statistics grow with every prefault, and that refuses slots. */
function counting(): NativeLiveKvm {
  let prefaults = 0;
  const kernel: Partial<NativeLiveKvm> = {
    createVm: () => "0",
    createVcpu: () => "0",
    setMemslot: () => "EEXIST",
    prefault: () => {
      prefaults++;
      return "EOPNOTSUPP";
    },
    statistic: (name) => prefaults * (COUNTED.indexOf(name as (typeof COUNTED)[number]) + 1),
  };
  return kernel as NativeLiveKvm;
}

describe("an operation on roots", () => {
  test("is answered with what four statistics rose by, in their order", () => {
    const asker = new RootsAsker(counting());
    expect(asker.answer(["vm"])).toEqual(["0", [0, 0, 0, 0]]);
    for (let again = 0; again < 2; again++)
      expect(asker.answer(["prefault", "0x0", "0x1000", "0x0"])).toEqual(["EOPNOTSUPP", [1, 2, 3, 4]]);
  });

  test("that no kernel has an answer to says so", () => {
    const asker = new RootsAsker(counting());
    asker.answer(["vm"]);
    const slot = ["slot", 0, "0x0", "0x1000", 0, "0x0"] as const;
    for (const op of [["vcpu", 2], slot, [...slot.slice(0, 5), "0x40000000"], ["hop"]] as never[])
      expect(thrownBy(() => asker.answer(op))).toBeInstanceOf(Unaskable);
  });
});
