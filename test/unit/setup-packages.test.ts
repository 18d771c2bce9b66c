import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
// @ts-expect-error scripts have no types
import { unlinkShared } from "../../scripts/setup/packages.mjs";

const folder = mkdtempSync(join(tmpdir(), "gpalias-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("packages that a checkout borrows are let go of, not emptied; its own stay", () => {
  const [own, borrowed] = [join(folder, "own"), join(folder, "borrowed")];
  mkdirSync(join(own, "a-package"), { recursive: true });
  symlinkSync(own, borrowed);
  unlinkShared(borrowed);
  unlinkShared(own);
  unlinkShared(join(folder, "absent"));
  expect([existsSync(borrowed), existsSync(join(own, "a-package"))]).toEqual([false, true]);
});
