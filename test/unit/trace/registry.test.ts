import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { loadAddon } from "../../../lib/native/addon.js";
import { traceFormats } from "../../../lib/trace/registry.js";
import { hasAddon } from "../with-addon.js";

const files = readdirSync(new URL("../../../lib/trace/formats/", import.meta.url));

describe("built-in formats", () => {
  test("each file is a format that has the file's name", async () => {
    const names = (await traceFormats()).map(({ name }) => `${name}.ts`);
    expect(names).toEqual([...files].sort());
  });

  test.skipIf(!hasAddon)("name each native decoder that there is, with the same summary", async () => {
    const native = (await traceFormats()).filter((format) => format.native === true);
    const built = native.map(({ name, summary }) => ({ name, summary }));
    expect(built).toEqual(loadAddon().formats());
  });
});
