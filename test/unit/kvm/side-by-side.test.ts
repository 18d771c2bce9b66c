// Random scripts, asked of the engine in place of a kernel, with and without a
// rule of its own.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type Kernel, kernelOf } from "../../../lib/kvm/kernel.js";
import { liveKinds } from "../../../lib/kvm/registry.js";
import { SideBySideRun } from "../../../lib/kvm/side-by-side.js";
import type { VerifyKvmOptions } from "../../../lib/kvm/types.js";
import { loadAddon } from "../../../lib/native/addon.js";
import type { NativeLiveRegion } from "../../../lib/native/addon-types.js";
import { vectorKinds } from "../../../lib/vectors/registry.js";
import type { VectorKind } from "../../../lib/vectors/vector-kind.js";
import { verifyVectors } from "../../../lib/vectors/verify.js";
import { EngineKvm } from "../../support/engine-kvm.js";
import { hasAddon } from "../with-addon.js";

const folder = mkdtempSync(join(tmpdir(), "gpalias-kvm-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function memslotsBeside(
  live: EngineKvm,
  seed: number,
  cases: number,
  options: VerifyKvmOptions = {},
  like: Partial<Kernel> = {},
  players?: readonly VectorKind[],
) {
  const kernel = { ...kernelOf(live, "a test's"), ...like };
  const kinds = (await liveKinds()).filter(({ name }) => name === "memslots");
  const parties = {
    live,
    kernel,
    addon: loadAddon(),
    liveKinds: kinds,
    vectorKinds: players ?? (await vectorKinds()),
  };
  return new SideBySideRun(parties, options).play(seed, cases);
}

/** It forgets that a write to a slot's first page made it dirty. */
class ForgetsFirstPage extends EngineKvm {
  override dirtyLog(slot: number, isNull: boolean): readonly [string, Uint8Array] {
    const [outcome, bytes] = super.dirtyLog(slot, isNull);
    if (bytes.length > 0) bytes[0] = (bytes[0] as number) & ~1;
    return [outcome, bytes];
  }
}

/** It takes a slot whose flags no kernel knows. */
class TakesAnyFlags extends EngineKvm {
  override setMemslot(region: NativeLiveRegion): string {
    return super.setMemslot({ ...region, flags: region.flags % 8 });
  }
}

/** Now and then a VM of it flushes once more than it has to. */
class Restless extends EngineKvm {
  #vms = 0;
  #extra = 0;
  override createVm = (type: number): string => {
    this.#vms++;
    this.#extra = 0;
    return this.newVm(type);
  };
  override dirtyLog(slot: number, isNull: boolean): readonly [string, Uint8Array] {
    if (this.#vms % 10 === 3) this.#extra++;
    return super.dirtyLog(slot, isNull);
  }
  override statistic = (): number => this.native.flushes().full + this.#extra;
}

describe.skipIf(!hasAddon)("the engine beside itself", () => {
  test.each([1, 2, 3])("differs in no script of seed %i", async (seed) => {
    expect(await memslotsBeside(new EngineKvm(), seed, 150)).toEqual({
      cases: 150,
      unsteady: 0,
      kinds: [{ kind: "memslots", cases: 150 }],
      difference: null,
    });
  });

  test("is not asked if the kernel is of another kind, or counts no flushes", async () => {
    const told = {
      release: "6.18",
      device: "a test's",
      model: "none",
      because: "it pages in two dimensions",
    };
    for (const [like, why] of [
      [{ isRecordedKind: false, told }, told.because],
      [{ countsFlushes: false }, "it counts no flushes (KVM_CAP_BINARY_STATS_FD)"],
    ] as const) {
      const { cases, kinds, difference } = await memslotsBeside(new EngineKvm(), 1, 10, {}, like);
      expect([cases, difference]).toEqual([0, null]);
      expect(kinds).toEqual([{ kind: "memslots", cases: 0, notAsked: why }]);
    }
  });

  test("takes no difference for one that the kernel does not repeat, and counts the script", async () => {
    const { unsteady, difference } = await memslotsBeside(new Restless(), 1, 100);
    expect(difference).toBeNull();
    expect(unsteady).toBeGreaterThan(2);
  });

  test("stops between two scripts when it is told to", async () => {
    const abort = new AbortController();
    const onProgress = () => abort.abort();
    const running = memslotsBeside(new EngineKvm(), 1, 1e6, { signal: abort.signal, onProgress });
    await expect(running).rejects.toMatchObject({ code: "ERR_ABORTED" });
  });
});

describe.skipIf(!hasAddon)("a kernel with a rule of its own", () => {
  test("is found out, and the script is left with what the rule needs and nothing else", async () => {
    const { difference } = await memslotsBeside(new ForgetsFirstPage(), 1, 1000);
    const ops = difference?.vector["ops"] as unknown[][] | undefined;
    expect(ops?.map(([name]) => name)).toEqual(["vm", "vcpu", "set", "poke", "get"]);
    expect(difference).toMatchObject({
      kind: "memslots",
      step: 4,
      kernel: ["0", 1, ""],
      engine: ["0", 1, "01"],
    });
    expect(difference?.shrink).toMatchObject({ to: 5 });
    expect(difference?.shrink.from).toBeGreaterThan(5);
  });

  test("its arguments become plain", async () => {
    const { difference } = await memslotsBeside(new TakesAnyFlags(), 1, 1000);
    expect(difference?.vector["ops"]).toEqual([
      ["vm", 0],
      ["set", 0, expect.any(Number), "0x0", "0x1000", "0x0"],
    ]);
    expect(difference).toMatchObject({ step: 1, kernel: ["0", 0], engine: ["EINVAL", 0] });
  });

  test("the vector that is left fails as a recorded one, at the same operation", async () => {
    const { difference } = await memslotsBeside(new ForgetsFirstPage(), 2, 1000);
    const file = join(folder, "found.jsonl");
    writeFileSync(file, `${JSON.stringify(difference?.vector)}\n`);
    const { failed, firstFailures } = await verifyVectors([file]);
    expect(failed).toBe(1);
    expect(firstFailures[0]).toMatchObject({
      step: difference?.step,
      expected: difference?.kernel,
      got: difference?.engine,
    });
  });

  test("takes what the engine refuses where a vector has no word for it: that is a difference too", async () => {
    const refused = Object.assign(new Error("a slot overlaps"), { errno: "EEXIST" });
    const refusing = (error: Error) => ({
      name: "memslots",
      claims: () => true,
      open: () => ({
        play: () => {
          throw error;
        },
        close: () => {},
      }),
    });
    const { difference } = await memslotsBeside(new EngineKvm(), 1, 1, {}, {}, [refusing(refused)]);
    expect(difference).toMatchObject({ op: ["play"], kernel: ["0"], engine: ["EEXIST", "a slot overlaps"] });
    expect(difference?.vector["ops"]).toEqual([["vm", 0]]);
    const defect = memslotsBeside(new EngineKvm(), 1, 1, {}, {}, [refusing(new Error("a defect"))]);
    await expect(defect).rejects.toThrow("a defect");
  });

  test("is found again by the same seed, with the same script", async () => {
    const [first, again] = [
      await memslotsBeside(new ForgetsFirstPage(), 5, 1000),
      await memslotsBeside(new ForgetsFirstPage(), 5, 1000),
    ];
    expect(again).toEqual(first);
  });
});
