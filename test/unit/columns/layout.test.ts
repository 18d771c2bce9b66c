import { describe, expect, test } from "vitest";
import { bytesPerRow, columnViews, LAYOUT, layoutMismatch } from "../../../lib/columns/layout.js";
import { loadAddon } from "../../../lib/native/addon.js";
import { hasAddon } from "../with-addon.js";

test("a row is 28 bytes in, 16 more with extra columns, 12 bytes out", () => {
  expect([LAYOUT.event, LAYOUT.extra, LAYOUT.outcome].map(bytesPerRow)).toEqual([28, 16, 12]);
});

test.skipIf(!hasAddon)("the addon has the same columns, kinds and outcomes", () => {
  expect(loadAddon().layout()).toEqual(LAYOUT);
});

test("columns follow each other without a gap", () => {
  const views = columnViews(LAYOUT.event, new ArrayBuffer(28 * 6), 0, 6);
  expect(
    [views.gpa, views.bytes, views.errorCode, views.vcpu, views.kind, views.access].map((v) => v.byteOffset),
  ).toEqual([0, 48, 96, 144, 156, 162]);
  expect(views.access.length).toBe(6);
});

describe("layoutMismatch", () => {
  test("is silent about the same layout", () => {
    expect(layoutMismatch(structuredClone(LAYOUT))).toBeUndefined();
  });

  test("names both versions of a stale addon", () => {
    const sentence = layoutMismatch({ ...LAYOUT, version: 77 });
    expect(sentence).toMatch(new RegExp(`layout 77,.* ${LAYOUT.version};.*npm rebuild`));
  });

  test.each(["event", "extra", "outcome", "eventKinds", "outcomes", "flushScopes"] as const)(
    "notices a changed %s table",
    (part) => {
      const changed = { ...LAYOUT, [part]: LAYOUT[part].slice(1) };
      expect(layoutMismatch(changed)).toContain(`"${part}"`);
    },
  );

  test("notices a column that changed only its type", () => {
    const [first, ...rest] = LAYOUT.event;
    expect(layoutMismatch({ ...LAYOUT, event: [{ ...first, type: "u32" }, ...rest] })).toContain('"event"');
  });
});
