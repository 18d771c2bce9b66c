import { describe, expect, test } from "vitest";
import { createVm, EventBatch, OutcomeBatch, type Vm, WalkBatch } from "../../lib/index.js";
import { rejectionOf, thrownBy } from "./thrown.js";
import { hasAddon } from "./with-addon.js";

const GiB = 2 ** 30;
/** So many that whatever is done right after the start is done before the end. */
const MANY_ROWS = 2 ** 20;

function aVm(config = {}): Vm {
  const vm = createVm(config);
  vm.memslots.add({ gpa: 0, bytes: GiB });
  return vm;
}

/** `rows` writes to different pages, over and over where there are no more. */
function touches(rows: number, capacity = rows): EventBatch {
  const batch = new EventBatch(capacity);
  for (let page = 0; page < rows; page++) batch.pushAccess((page * 4096) % GiB, "write");
  return batch;
}

describe.skipIf(!hasAddon)("closing", () => {
  test("using closes at the end of the block, and closing twice is fine", () => {
    let outside: Vm;
    {
      using vm = aVm();
      outside = vm;
      expect(vm.closed).toBe(false);
    }
    outside.close();
    expect(outside.closed).toBe(true);
  });

  test("every method of a closed VM is refused with ERR_CLOSED", async () => {
    const vm = aVm();
    const [slot] = [...vm.memslots];
    vm.close();
    const calls: (() => unknown)[] = [
      () => vm.access(0, "read"),
      () => vm.zap(0, 4096),
      () => vm.zapAll(),
      () => vm.takeDirtyLogs(),
      () => vm.walk(0),
      () => vm.walkBatch(new WalkBatch(1)),
      () => vm.page(0),
      () => vm.rmap(0),
      () => vm.rmapCount(0),
      () => vm.leafCounts(),
      () => vm.tableList(),
      () => vm.flushes(),
      () => vm.violations(),
      () => vm.advisories(),
      () => vm.judged(),
      () => vm.audit(),
      () => vm.auditEvery(1),
      () => vm.coexisting,
      () => vm.conversionsOnExit,
      () => vm.isPrivate(0),
      () => vm.invalidateHva(2 ** 40, 4096),
      () => vm.setMmuPages(64),
      () => vm.setMtrr(0x2ff, 0),
      () => vm.setAttributes(0, 4096, "shared"),
      () => vm.leaves(),
      () => vm.stats(),
      () => vm.vcpuStats(0),
      () => vm.tables(),
      () => vm.generation(),
      () => vm.runSync(touches(1), new OutcomeBatch(1)),
      () => vm.memslots.add({ gpa: 0, bytes: 4096 }),
      () => vm.memslots.at(0),
      () => [...vm.memslots],
      () => slot?.gpa,
    ];
    for (const call of calls) expect(thrownBy(call).code).toBe("ERR_CLOSED");
    expect((await rejectionOf(vm.run(touches(1), new OutcomeBatch(1)))).code).toBe("ERR_CLOSED");
  });

  test("closing while a run is in flight rejects it with ERR_CLOSED", async () => {
    const vm = aVm();
    const events = touches(MANY_ROWS);
    const run = vm.run(events, new OutcomeBatch(MANY_ROWS));
    vm.close();
    expect((await rejectionOf(run)).code).toBe("ERR_CLOSED");
    expect(events.state).toBe("read");
  });
});
