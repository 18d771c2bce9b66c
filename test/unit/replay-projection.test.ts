import { describe, expect, test } from "vitest";
import type { EventBatch } from "../../lib/columns/event-batch.js";
import { chooseProjection } from "../../lib/replay-projection.js";
import { fakeEngine } from "../support/fake-engine.js";
import { traceOf } from "../support/fake-trace.js";
import { rejectionOf } from "./thrown.js";

const SHARED = 2 ** 47;
const aliasing = (strategy: string, preset: string) => ({ strategy, preset: fakeEngine.preset(preset) });
const plain = traceOf(100, (batch, row) => batch.pushAccess(row * 4096, "read"));
const carrying = traceOf(100, (batch, row) => batch.pushAccess(row === 99 ? SHARED : 0, "read"));
const zapping = traceOf(2, (batch: EventBatch, row) =>
  row === 0 ? batch.pushOperation("hva-invalidate", SHARED * 2, 4096) : batch.pushAccess(0, "read"),
);

describe("unless something else is asked for", () => {
  test.each([
    ["precise", "tdx47", "home"],
    ["precise", "bits:47", "as-recorded"],
    ["precise", "xo:47", "as-recorded"],
    ["none", "tdx47", "as-recorded"],
    ["none", "sev:47", "as-recorded"],
    ["none", "none", "as-recorded"],
  ])("accesses of %s under %s go %s", async (strategy, preset, expected) => {
    expect(await chooseProjection(plain, aliasing(strategy, preset))).toBe(expected);
  });

  test("a trace whose own addresses carry alias bits stays as it was recorded", async () => {
    expect(await chooseProjection(carrying, aliasing("mirror", "tdx47"))).toBe("as-recorded");
  });

  test("host-virtual addresses are no guest addresses", async () => {
    expect(await chooseProjection(zapping, aliasing("mirror", "tdx47"))).toBe("home");
  });

  test("a stream cannot be looked at, so it has to be said", async () => {
    const stream = traceOf(1, () => {}, { rewindable: false });
    const error = await rejectionOf(chooseProjection(stream, aliasing("mirror", "tdx47")));
    expect(error).toMatchObject({ code: "ERR_BUSY" });
    expect(error.message).toBe("rows can be read only once, so project cannot be found out from it: say it");
    for (const said of ["as-recorded", "home", "churn:3,1"]) {
      expect(await chooseProjection(stream, aliasing("mirror", "tdx47"), said)).toBe(said);
    }
  });
});

describe("a projection that contradicts the machine is refused", () => {
  test.each([
    ["none", "tdx47", 'project must be "as-recorded" where alias.strategy is "none", which leaves no alias'],
    ["none", "none", 'project must be "as-recorded" where alias.preset is "none", which leaves no alias'],
    ["precise", "none", 'project must be "as-recorded" where alias.preset is "none", which leaves no alias'],
  ])("%s under %s", async (strategy, preset, sentence) => {
    const error = await rejectionOf(chooseProjection(plain, aliasing(strategy, preset), "churn:3,1"));
    expect(error).toMatchObject({ name: "RangeError", code: "ERR_CONFIG" });
    expect(error.message).toBe(`${sentence} to choose, got "churn:3,1"`);
    expect(await chooseProjection(plain, aliasing(strategy, preset), "home")).toBe("as-recorded");
  });

  test.each([7, "", null])("and so is %j, which is none", async (asked) => {
    const error = await rejectionOf(chooseProjection(plain, aliasing("precise", "bits:47"), asked));
    expect([error.code, error.message.startsWith("project must be the name")]).toEqual(["ERR_CONFIG", true]);
  });
});
