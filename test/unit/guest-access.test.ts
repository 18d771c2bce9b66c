/** Accesses by guest-virtual address, through the library: single ones, batches and a replay. */
import { describe, expect, test } from "vitest";
import { createVm, EventBatch, OutcomeBatch, replay, TranslationBatch, type Vm } from "../../lib/index.js";
import { traceOf } from "../support/fake-trace.js";
import { hasAddon } from "./with-addon.js";

const MiB = 2 ** 20;
const ROOT = 16 * MiB;
const KERNEL = 0xffff_8000_0000_0000n;

/** A guest that maps its first 2 MiB of the upper half to the page that each word names. */
function aGuest(entries: readonly bigint[]): Vm {
  const vm = createVm();
  vm.memslots.add({ gpa: 0, bytes: 64 * MiB, hva: 2 ** 40 });
  const store = (gpa: number, words: readonly bigint[]) =>
    vm.memory.write(gpa, new Uint8Array(BigUint64Array.from(words).buffer));
  store(ROOT + 256 * 8, [BigInt(ROOT + 0x1000) | 7n]);
  store(ROOT + 0x1000, [BigInt(ROOT + 0x2000) | 7n]);
  store(ROOT + 0x2000, [BigInt(ROOT + 0x3000) | 7n]);
  store(ROOT + 0x3000, entries);
  vm.setGuestRegisters({ cr0: 0x80010001n, cr3: BigInt(ROOT), cr4: 0x20n, efer: 0xd00n });
  return vm;
}

describe.skipIf(!hasAddon)("a VM that is addressed by GVA", () => {
  test("reaches the tables, then the page; its own tables' refusal is the guest's", () => {
    using vm = aGuest([0x5003n, 0x6001n]);
    vm.setAddressing("gva");
    expect(vm.access(KERNEL + 0x10n, "write")).toMatchObject({ result: "fixed", pageSize: "4K" });
    expect(vm.access(Number(BigInt.asIntN(64, KERNEL)), "write")).toMatchObject({ result: "hit" });
    expect(vm.guestFault()).toBeUndefined();
    expect(vm.access(KERNEL + 0x1000n, "write", { user: true })).toMatchObject({
      result: "retry",
      pageSize: undefined,
    });
    expect(vm.guestFault()).toEqual({
      vector: 14,
      errorCode: 7,
      address: KERNEL + 0x1000n,
      nested: false,
      qualification: 0,
    });
    expect(vm.stats()["pages_4k"]).toBe(5);
    vm.setAddressing("gpa");
    expect(vm.access(0x5000, "write")).toMatchObject({ result: "hit" });
  });

  test("replays a trace of GVAs as its single accesses go", async () => {
    using vm = aGuest([0x5003n, 0x6003n]);
    vm.setAddressing("gva");
    const upper = Number(BigInt.asIntN(64, KERNEL));
    const pages = [0, 1, 2, 1];
    const trace = traceOf(4, (batch, row) => {
      batch.pushAccess(0, row === 0 ? "write" : "read");
      batch.gpa[row] = upper + (pages[row] as number) * 0x1000;
    });
    const { outcomes } = await replay(vm, trace);
    expect(outcomes).toMatchObject({ fixed: 2, retry: 1, hit: 1 });
  });

  test("a batch of translations fills its columns", () => {
    using vm = aGuest([0x5003n, 0n]);
    const batch = new TranslationBatch(3);
    batch.gva.set([KERNEL + 0x123n, KERNEL + 0x1000n, KERNEL]);
    batch.count = 2;
    vm.translateBatch(batch, "read");
    expect([...batch.gpa.subarray(0, 2)]).toEqual([0x5123, 0]);
    expect([...batch.ended]).toEqual([0, 1, 0]);
    expect([...batch.level]).toEqual([1, 0, 0]);
    expect([...batch.granted]).toEqual([1, 0, 0]);
  });

  test("a batch of events has 8 in its access column for a user", () => {
    using vm = aGuest([0x5003n]);
    vm.setAddressing("gva");
    const events = new EventBatch(1);
    const outcomes = new OutcomeBatch(1);
    events.pushAccess(0, "read");
    events.gpa[0] = Number(BigInt.asIntN(64, KERNEL));
    events.access[0] = 9;
    vm.runSync(events, outcomes);
    expect(vm.guestFault()).toMatchObject({ errorCode: 5 });
  });
});
