// What random scripts of memslots are, whatever their seed.
import { describe, expect, test } from "vitest";
import type { Kernel } from "../../../lib/kvm/kernel.js";
import memslots from "../../../lib/kvm/kinds/memslots.js";
import { generateOps } from "../../../lib/kvm/memslots/generate.js";
import { showsTime } from "../../../lib/kvm/memslots/time.js";
import { opsOf } from "../../../lib/kvm/op-scripts.js";
import { Random } from "../../../lib/kvm/random.js";

const TOLD = { release: "6.18", device: "/dev/kvm", model: "pvm-6.18", because: "so" };
const kernel = (lacks: readonly string[] = []): Kernel => ({
  told: TOLD,
  isRecordedKind: true,
  countsFlushes: true,
  has: (capability) => !lacks.includes(capability),
});
const scripts = Array.from({ length: 2000 }, (_, at) => generateOps(new Random(11, at), kernel()));
const named = (...names: string[]) => scripts.flat().filter(([name]) => names.includes(name));

describe("2,000 scripts", () => {
  test("begin with a VM and a vCPU, and never fill a ring", () => {
    for (const ops of scripts) {
      expect(ops[0]).toEqual(["vm", 0]);
      expect(ops.filter(([name]) => name === "vm")).toHaveLength(1);
      const vcpu = ops.findIndex(([name]) => name === "vcpu");
      expect(ops.slice(0, vcpu).every(([name]) => name === "vm" || name === "cap")).toBe(true);
      // A ring of the smallest size has 256 entries, and a poke pushes six at most.
      expect(ops.length * 6).toBeLessThan(256);
    }
  });

  test("ask for no slot that costs the kernel gigabytes", () => {
    const sizes = named("set", "set2").map((op) => BigInt(op[4] as string));
    expect(sizes.filter((size) => size > 2n ** 32n && size < 2n ** 43n && size % 4096n === 0n)).toEqual([]);
    expect(sizes.filter((size) => size >= 2n ** 43n)).not.toEqual([]);
  });

  test("look at no byte of the host's time", () => {
    expect(scripts.filter(showsTime)).toEqual([]);
    expect(named("peek").length).toBeGreaterThan(100);
  });

  test("know every operation, and whatever may be refused is sometimes right", () => {
    const names = new Set(scripts.flat().map(([name]) => name));
    expect([...names].sort()).toEqual(
      ["cap", "clear", "get", "gmem", "peek", "poke", "reset", "ring", "set", "set2", "vcpu", "vm"].sort(),
    );
  });

  test("are others for another seed, and the same for the same", () => {
    const one = (seed: number) => generateOps(new Random(seed, 0), kernel());
    expect(one(1)).toEqual(one(1));
    expect(one(1)).not.toEqual(one(2));
    expect(new Random(1, 0).below(2 ** 32)).not.toBe(new Random(1, 1).below(2 ** 32));
  });

  test("ask nothing that a kernel says it has not", () => {
    const lacking = kernel(["ring", "guestMemfd", "memory2", "manualProtect"]);
    const ops = Array.from({ length: 300 }, (_, at) => generateOps(new Random(3, at), lacking)).flat();
    const asked = new Set(ops.map(([name]) => name));
    for (const name of ["gmem", "set2", "ring"]) expect(asked).not.toContain(name);
    expect(ops.filter(([name, cap]) => name === "cap" && cap === 168)).toEqual([]);
  });
});

describe("what is simpler than a script", () => {
  test("is shorter, or has one argument that is less; the VM stays", () => {
    const ops = scripts[7] as NonNullable<(typeof scripts)[number]>;
    const simpler = [...memslots.simpler({ id: "s", ops })].map(opsOf);
    expect(simpler.length).toBeGreaterThan(ops.length);
    for (const each of simpler) {
      expect(each[0]).toEqual(["vm", 0]);
      const changed = each.filter((op, at) => JSON.stringify(op) !== JSON.stringify(ops[at])).length;
      expect(each.length < ops.length || changed === 1).toBe(true);
      expect(showsTime(each)).toBe(false);
    }
  });
});
