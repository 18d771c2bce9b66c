// A tree of the engine that stays: what is the same is not touched, so that it keeps its objects.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { read } from "../support/source-graph.js";

const { putEngine } = (await import(new URL("../../scripts/engine-copy.mjs", import.meta.url).href)) as {
  putEngine(tree: string, changes?: ReadonlyMap<string, string>): boolean;
};

const tree = mkdtempSync(join(tmpdir(), "gpalias-tree-"));
const FILE = "native/core/memslot.cpp";
const OTHER = "native/core/tlb.cpp";
const LONG_AGO = new Date(2020, 1, 1);
const age = (path: string) => statSync(join(tree, path)).mtime.getTime();

beforeAll(() => putEngine(tree));
afterAll(() => rmSync(tree, { recursive: true, force: true }));

describe("a tree of the engine", () => {
  test("has what a build needs, and changes in their place, and nothing else is written", () => {
    for (const path of [FILE, OTHER]) utimesSync(join(tree, path), LONG_AGO, LONG_AGO);
    const changes = new Map([
      [FILE, "// changed\n"],
      ["native/core/fault_is.hpp", "// new\n"],
    ]);
    expect(putEngine(tree, changes)).toBe(false);
    expect(readFileSync(join(tree, FILE), "utf8")).toBe("// changed\n");
    expect(existsSync(join(tree, "native/core/fault_is.hpp"))).toBe(true);
    expect(age(OTHER)).toBe(LONG_AGO.getTime());
    expect(existsSync(join(tree, "node_modules/node-addon-api/package.json"))).toBe(true);
  });

  test("is as the sources are again without the changes", () => {
    writeFileSync(join(tree, FILE), "// changed\n");
    putEngine(tree);
    expect(readFileSync(join(tree, FILE), "utf8")).toBe(read(FILE));
    expect(existsSync(join(tree, "native/core/fault_is.hpp"))).toBe(false);
  });

  test("says so where there are other source files than before", () => {
    expect(putEngine(tree, new Map([["native/core/more.cpp", ""]]))).toBe(true);
    expect(putEngine(tree)).toBe(true);
    expect(putEngine(tree)).toBe(false);
  });
});
