import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { LAYOUT } from "../../../lib/columns/layout.js";
import { rejectionOf } from "../thrown.js";

const folder = mkdtempSync(join(tmpdir(), "gpalias-addon-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
  vi.unstubAllEnvs();
});

/** Loads the addon module afresh, as its first user would. */
async function loadWith(path: string): Promise<unknown> {
  vi.stubEnv("GPALIAS_ADDON", path);
  vi.resetModules();
  const { loadAddon } = await import("../../../lib/native/addon.js");
  return loadAddon();
}

/** A module that answers like an addon; what loads it cannot tell. */
function standIn(name: string, layout: object): string {
  const path = join(folder, `${name}.cjs`);
  writeFileSync(path, `exports.layout = () => (${JSON.stringify(layout)});`);
  return path;
}

describe("GPALIAS_ADDON", () => {
  test("names the file that is loaded", async () => {
    const path = standIn("right", LAYOUT);
    expect(await loadWith(path)).toBe(createRequire(import.meta.url)(path));
  });

  test("a file that is not there is refused by name, with a code", async () => {
    const path = join(folder, "none.node");
    const error = await rejectionOf(loadWith(path));
    expect(error.code).toBe("ERR_ADDON");
    expect(error.message).toMatch(
      /^cannot load the native addon that GPALIAS_ADDON names \(.*none\.node\): /,
    );
    expect(error.message).not.toContain("\n");
  });

  test("an addon of another layout is refused with what to do", async () => {
    const error = await rejectionOf(loadWith(standIn("stale", { ...LAYOUT, version: 99 })));
    expect(error.code).toBe("ERR_ADDON");
    expect(error.message).toContain("was built for layout 99");
  });
});

test("importing the library loads no addon", async () => {
  vi.stubEnv("GPALIAS_ADDON", join(folder, "absent.node"));
  vi.resetModules();
  const library = await import("../../../lib/index.js");
  expect(library.formatGpa(16)).toBe("0x10");
});
