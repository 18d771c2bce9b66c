// The addon's way to the machine's own KVM: what it refuses before a kernel
// hears of it, what it leaves behind, and that it words answers as recorded.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { liveKinds } from "../../../lib/kvm/registry.js";
import { verifyKvm } from "../../../lib/kvm/verify.js";
import { loadAddon } from "../../../lib/native/addon.js";
import type { NativeLiveKvm } from "../../../lib/native/addon-types.js";
import { hasKvm } from "../../support/live-kvm.js";
import { root } from "../../support/source-graph.js";
import { thrownBy } from "../thrown.js";
import { hasAddon } from "../with-addon.js";

const DEVICE = "/dev/kvm";
const MEMORY = 2n ** 45n;
const GIB = 2n ** 30n;
const REGION = {
  slot: 0,
  flags: 1,
  gpa: 0x10000n,
  bytes: 0x2000n,
  hva: MEMORY,
  isOldIoctl: true,
  memfd: -1,
  memfdOffset: 0n,
};

const open = (path: string) => new (loadAddon().LiveKvm)(path);

describe.skipIf(!hasAddon)("a device that cannot be asked", () => {
  test.each([
    ["/no/such/kvm", "/no/such/kvm: this machine has no KVM"],
    ["/dev/null", "/dev/null: it is not KVM's device"],
    ["/", "/: cannot be opened: Is a directory"],
  ])("%s is unsupported, in one sentence", (path, message) => {
    expect(thrownBy(() => open(path))).toMatchObject({ code: "ERR_UNSUPPORTED", message });
  });

  test.each([[7], [undefined], ["a\0b"], ["x".repeat(5000)]])(
    "a path that is none is a mistake: %s",
    (path) => {
      expect(thrownBy(() => open(path as string))).toMatchObject({ code: "ERR_CONFIG" });
    },
  );
});

describe.skipIf(!hasKvm)("the machine's own KVM", () => {
  let live: NativeLiveKvm;
  beforeEach(() => {
    live = open(DEVICE);
  });
  afterEach(() => live.close());

  const filesOpen = () => readdirSync("/proc/self/fd").length;

  test("is EBADF without a VM, and for a vCPU that is not there", () => {
    expect([live.createVcpu(0), live.setMemslot(REGION), live.setMsr(0, 0x11, 0n)]).toEqual(
      Array(3).fill("EBADF"),
    );
    live.createVm(0);
    expect([live.setMsr(0, 0x11, 0n), live.registers(0)[0], live.translate(1, 0n)[0]]).toEqual(
      Array(3).fill("EBADF"),
    );
    expect(live.statistic("remote_tlb_flush_requests")).toBe(0);
    expect(live.statistic("no_such_statistic")).toBeUndefined();
  });

  test("is there once in a process, and again after it is closed", () => {
    expect(thrownBy(() => open(DEVICE))).toMatchObject({
      code: "ERR_UNSUPPORTED",
      message: expect.stringContaining("one VM of the machine's own KVM at a time"),
    });
    live.close();
    live.close();
    expect(thrownBy(() => live.createVm(0))).toMatchObject({ code: "ERR_CLOSED" });
    live = open(DEVICE);
    expect(live.createVm(0)).toBe("0");
  });

  test("leaves no file open: not of VMs before, not of files that were refused, not at the end", () => {
    live.createVm(0);
    const few = filesOpen();
    for (let round = 0; round < 20; round++) {
      expect(live.createVm(0)).toBe("0");
      expect(live.enableCap(192, 0, 0x1000n)).toBe("0");
      expect([live.createVcpu(0), live.createVcpu(0), live.createVcpu(1)]).toEqual(["0", "EEXIST", "0"]);
      expect([live.createGuestMemfd(0x1000n, 0n), live.createGuestMemfd(0n, 0n)]).toEqual(["0", "EINVAL"]);
      expect(live.createVm(1)).toBe("EINVAL");
    }
    live.createVm(0);
    expect(filesOpen()).toBe(few);
    live.close();
    expect(filesOpen()).toBeLessThan(few);
  });

  test("writes a guest's page by itself, which is then dirty, and zero in the next VM", () => {
    live.createVm(0);
    live.createVcpu(0);
    expect(live.setMemslot(REGION)).toBe("0");
    expect(live.setMsr(0, 0x4b56_4d00, 0x11010n)).toBe("0");
    expect(live.dirtyLog(0, false)).toEqual(["0", Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0)]);
    expect(live.readMemory(MEMORY + 0x1010n, 4)).toEqual(["0", Uint8Array.of(2, 0, 0, 0)]);
    live.createVm(0);
    expect(live.readMemory(MEMORY + 0x1010n, 4)).toEqual(["0", new Uint8Array(4)]);
  });

  test("memory outside, across the end or closed is EFAULT, and touched by nobody", () => {
    live.createVm(0);
    for (const [hva, bytes] of [
      [0n, 4],
      [MEMORY - 1n, 4],
      [MEMORY + GIB - 1n, 2],
      [2n ** 64n - 1n, 2],
    ] as const) {
      expect(live.readMemory(hva, bytes)[0]).toBe("EFAULT");
      expect(live.writeMemory(hva, new Uint8Array(bytes))).toBe("EFAULT");
    }
    expect(live.readMemory(MEMORY, 2 ** 32 - 1)[0]).toBe("EFAULT");
    expect(live.writeMemory(MEMORY, Uint8Array.of(5))).toBe("0");
    expect(live.protect(MEMORY, 0x1000n, 0)).toBe("0");
    expect(live.readMemory(MEMORY + 0x5000n, 1)[0]).toBe("EFAULT");
    expect(live.unprotect()).toBe("0");
    expect(live.readMemory(MEMORY, 1)).toEqual(["0", Uint8Array.of(5)]);
    expect(live.protect(MEMORY + GIB, 0x1000n, 0)).toBe("EFAULT");
    expect(live.protect(MEMORY + 1n, 0x1000n, 0)).toBe("EINVAL");
  });

  test.each<[string, (kvm: NativeLiveKvm) => unknown]>([
    ["a slot that is no u32", (kvm) => kvm.setMemslot({ ...REGION, slot: -1 })],
    ["a size of more than 64 bits", (kvm) => kvm.setMemslot({ ...REGION, bytes: 2n ** 64n })],
    ["a file that cannot be one", (kvm) => kvm.setMemslot({ ...REGION, memfd: -3 })],
    ["a region that is none", (kvm) => kvm.setMemslot(undefined as never)],
    ["a protection that there is not", (kvm) => kvm.protect(MEMORY, 0x1000n, 3)],
    ["words of CPUID that are no entry", (kvm) => kvm.setCpuid(0, new Uint32Array(8))],
    ["more CPUID than KVM takes", (kvm) => kvm.setCpuid(0, new Uint32Array(7 * 257))],
    ["a prefix that is no Uint8Array", (kvm) => kvm.clearDirtyLog(0, 0n, 64, "ff" as never, 0)],
    ["registers that are none", (kvm) => kvm.setRegisters(0, { cr0: 1 } as never)],
  ])("%s is refused before the kernel is asked", (_, call) => {
    live.createVm(0);
    live.createVcpu(0);
    expect(thrownBy(() => call(live))).toMatchObject({ code: "ERR_CONFIG" });
    expect(live.dirtyLog(0, false)[0]).toBe("ENOENT");
  });

  test.each(["memslots", "translate", "mmuroots"])(
    "answers the recorded vectors of %s as they were recorded",
    { timeout: 120_000 },
    async (name) => {
      const kind = (await liveKinds()).find((each) => each.name === name);
      const text = gunzipSync(readFileSync(join(root, `test/vectors/${name}.jsonl.gz`))).toString("utf8");
      const all = text.trimEnd().split("\n");
      // All of them take three quarters of a minute.
      const some = process.env["GPALIAS_LONG"] === "1" ? all : all.filter((_, at) => at % 12 === 0);
      for (const line of some) {
        const vector = JSON.parse(line);
        // Zaps of many pages flush once more if another task is to run: a few askings, one of them as recorded.
        const asked = () => isDeepStrictEqual(kind?.ask(live, vector), vector);
        if (!asked() && !asked() && !asked()) expect(kind?.ask(live, vector), vector.id).toEqual(vector);
      }
    },
  );
});

describe.skipIf(!hasKvm)("the engine beside the machine's own KVM", () => {
  test("answers random scripts as it does", { timeout: 120_000 }, async () => {
    const cases = process.env["GPALIAS_LONG"] === "1" ? 2000 : 200;
    const { difference, kernel, kinds } = await verifyKvm({ seed: 1, cases });
    expect(difference).toBeNull();
    expect(kernel.model).toBe("pvm-6.18");
    expect(kinds.reduce((sum, kind) => sum + kind.cases, 0)).toBe(cases);
  });
});
