import { describe, expect, test } from "vitest";
import { ATTRIBUTE_BITS, EventBatch, isInserted, KIND } from "../../../lib/columns/event-batch.js";
import { thrownBy } from "../thrown.js";

describe("filling", () => {
  test("an access becomes a row of raw values", () => {
    const batch = new EventBatch(4);
    batch.pushAccess(2 ** 51 + 5, ["read", "write"], 7);
    batch.pushAccess(0x1000, "fetch");
    expect(batch.count).toBe(2);
    expect([...batch.gpa.slice(0, 2)]).toEqual([2 ** 51 + 5, 0x1000]);
    expect([...batch.access.slice(0, 2)]).toEqual([3, 4]);
    expect([...batch.vcpu.slice(0, 2)]).toEqual([7, 0]);
    expect([...batch.kind.slice(0, 2)]).toEqual([KIND.access, KIND.access]);
  });

  test("an operation carries its range", () => {
    const batch = new EventBatch(2);
    batch.pushOperation("zap", 0x2000, 0x1000);
    batch.pushOperation("zap-all-fast");
    expect([...batch.kind]).toEqual([KIND.zap, KIND["zap-all-fast"]]);
    expect([...batch.bytes]).toEqual([0x1000, 0]);
  });

  test("rows of an earlier filling leave nothing behind", () => {
    const batch = new EventBatch(1, { extra: true });
    batch.pushAccess(1, "write", 3);
    batch.errorCode[0] = 0x182;
    (batch.time as Float64Array)[0] = 9;
    batch.reset();
    batch.pushOperation("end");
    expect([batch.errorCode[0], batch.vcpu[0], batch.access[0], batch.time?.[0]]).toEqual([0, 0, 0, 0]);
  });

  test("a full batch refuses one more row and keeps what it has", () => {
    const batch = new EventBatch(1);
    batch.pushAccess(1, "read");
    expect(batch.isFull).toBe(true);
    expect(thrownBy(() => batch.pushAccess(2, "read"))).toMatchObject({
      code: "ERR_BATCH",
      values: { capacity: 1 },
    });
    expect([batch.count, batch.gpa[0]]).toEqual([1, 1]);
  });

  test.each([["execute"], [[]], [undefined], [["read", "x"]]])("access %o is refused", (access) => {
    const batch = new EventBatch(1);
    expect(thrownBy(() => batch.pushAccess(0, access as never)).code).toBe("ERR_CONFIG");
    expect(batch.count).toBe(0);
  });

  test("a change of attributes says private or shared", () => {
    const batch = new EventBatch(2);
    batch.pushAttributes(0x3000, 0x2000, "private");
    batch.pushAttributes(0x3000, 0x1000, "shared");
    expect([...batch.kind]).toEqual([KIND.attributes, KIND.attributes]);
    expect([...batch.access]).toEqual([1, 0]);
    expect([...batch.bytes]).toEqual([0x2000, 0x1000]);
    const error = thrownBy(() => new EventBatch(1).pushAttributes(0, 4096, "secret" as never));
    expect(error.message).toBe('attribute must be "private" or "shared", got "secret"');
  });

  test("only a change of attributes can be a row that a projection inserted", () => {
    const inserted = ATTRIBUTE_BITS.inserted;
    expect([0, 1, inserted, inserted + 1].map((access) => isInserted(KIND.attributes, access))).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect(isInserted(KIND.access, inserted)).toBe(false);
  });

  test.each([["access"], ["attributes"], ["flush"]])("operation %o is refused", (kind) => {
    const error = thrownBy(() => new EventBatch(1).pushOperation(kind as never));
    expect(error.message).toContain("kind must be one of zap, zap-all-fast");
  });

  test.each([0, -1, 1.5, 2 ** 24 + 1, Number.NaN])("capacity %d is refused", (capacity) => {
    expect(thrownBy(() => new EventBatch(capacity)).code).toBe("ERR_CONFIG");
  });
});

describe("blocks", () => {
  test("all columns lie in one buffer", () => {
    const batch = new EventBatch(10, { extra: true });
    for (const column of [batch.gpa, batch.kind, batch.access, batch.time, batch.ripHigh]) {
      expect(column?.buffer).toBe(batch.buffer);
    }
    expect(batch.buffer.byteLength).toBe(10 * 44);
  });

  test("extra columns are absent unless asked for", () => {
    const batch = new EventBatch(2);
    expect([batch.extra, batch.time, batch.ripLow, batch.ripHigh]).toEqual([
      false,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("extra columns of an odd capacity are aligned and overlap nothing", () => {
    const batch = new EventBatch(3, { extra: true });
    batch.access.fill(255);
    batch.time?.fill(-1);
    expect([...batch.access]).toEqual([255, 255, 255]);
    expect((batch.time?.byteOffset ?? 1) % 8).toBe(0);
  });

  test("rows are copied with their extra columns", () => {
    const from = new EventBatch(4, { extra: true });
    for (const gpa of [1, 2, 3]) from.pushAccess(gpa, "read", gpa);
    from.time?.set([0.1, 0.2, 0.3]);
    const to = new EventBatch(3, { extra: true });
    to.pushOperation("end");
    to.pushRows(from, 1, 3);
    expect([to.count, ...to.gpa, ...(to.time ?? [])]).toEqual([3, 0, 2, 3, 0, 0.2, 0.3]);
    expect(thrownBy(() => to.pushRows(from, 0, 1)).code).toBe("ERR_BATCH");
  });
});

describe("state", () => {
  test("goes from filling to running to read and back", () => {
    const batch = new EventBatch(1);
    const states = [batch.state];
    batch.beginRun();
    states.push(batch.state);
    batch.endRun();
    states.push(batch.state);
    batch.reset();
    states.push(batch.state);
    expect(states).toEqual(["filling", "running", "read", "filling"]);
  });

  test("several runs may read a batch, which stays running until the last of them ends", () => {
    const batch = new EventBatch(1);
    const states: string[] = [];
    batch.beginRun();
    batch.beginRun();
    for (let runs = 2; runs > 0; runs--) {
      states.push(batch.state);
      expect(thrownBy(() => batch.reset()).code).toBe("ERR_BUSY");
      batch.endRun();
    }
    batch.reset();
    expect([...states, batch.state]).toEqual(["running", "running", "filling"]);
    expect(thrownBy(() => batch.endRun()).code).toBe("ERR_BUSY");
  });

  test("a running batch refuses to be filled or refilled", () => {
    const batch = new EventBatch(2);
    batch.beginRun();
    for (const call of [
      () => batch.pushAccess(0, "read"),
      () => batch.pushOperation("end"),
      () => batch.pushRows(new EventBatch(1), 0, 0),
      () => batch.pushAttributes(0, 4096, "shared"),
      () => batch.reset(),
    ]) {
      expect(thrownBy(call).code).toBe("ERR_BUSY");
    }
  });

  test("a batch that was read must be reset before it is filled, and may run again", () => {
    const batch = new EventBatch(1);
    batch.beginRun();
    batch.endRun();
    expect(thrownBy(() => batch.pushAccess(0, "read")).code).toBe("ERR_BUSY");
    batch.beginRun();
    expect(batch.state).toBe("running");
  });
});
