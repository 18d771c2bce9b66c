// The rules that no compiler holds: who may import whom, where the dangerous
// words may stand, how long a file may be.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { groupOf, refusal } from "./support/dependency-rules.js";
import {
  closureOf,
  filesOf,
  findCycle,
  read,
  readNative,
  readTypeScript,
  root,
} from "./support/source-graph.js";

const lib = filesOf("lib", /\.ts$/).map(readTypeScript);
const native = filesOf("native", /\.(cpp|hpp)$/).map(readNative);
const all = [...native, ...lib];

// Comments may speak of what code may not do.
const codeOf = (path: string): string => read(path).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
const filesWith = (pattern: RegExp, paths: readonly string[]): string[] =>
  paths.filter((path) => pattern.test(codeOf(path)));
const paths = all.map((file) => file.path);

describe("dependencies", () => {
  test("the graph was read: files and edges in both languages", () => {
    for (const files of [lib, native]) {
      expect(files.length).toBeGreaterThan(10);
      expect(files.flatMap((file) => file.imports).length).toBeGreaterThan(10);
    }
  });

  test("every source file belongs to a group", () => {
    expect(paths.filter((path) => !groupOf(path))).toEqual([]);
  });

  test("every import names a file that exists", () => {
    const missing = all.flatMap((file) =>
      file.imports.filter((each) => !existsSync(join(root, each))).map((each) => `${file.path}: ${each}`),
    );
    expect(missing).toEqual([]);
  });

  test("no file imports what its group may not", () => {
    const refused = all.flatMap((file) => file.imports.map((each) => refusal(file.path, each)));
    expect(refused.filter((each) => each !== undefined)).toEqual([]);
  });

  test("there is no cycle", () => {
    expect(findCycle(native)).toBeUndefined();
    expect(findCycle(lib)).toBeUndefined();
  });

  test("the rules refuse a strategy that includes another, and a command past the library", () => {
    expect(refusal("native/core/alias/none.cpp", "native/core/alias/mirror.hpp")).toContain("sibling");
    expect(refusal("native/core/spte.hpp", "native/core/fault.hpp")).toContain("core/2");
    expect(refusal("lib/cli/commands/replay.ts", "lib/vm.ts")).toContain("vm");
  });

  test("importing the library loads no package, and none but these is ever loaded by it", () => {
    const entry = closureOf("lib/index.ts", lib);
    const packagesOf = (names: readonly string[]) => names.filter((each) => !each.startsWith("node:"));
    expect(packagesOf(entry.flatMap((file) => file.externalLoads))).toEqual([]);
    // The addon's loader at the first VM; the table's layout when a result is rendered as text.
    const lazy = new Set(packagesOf(entry.flatMap((file) => file.external)));
    expect([...lazy].sort()).toEqual(["cli-table3", "node-gyp-build"]);
  });
});

describe("words in their place", () => {
  test("napi.h is included by native/binding/napi.hpp alone", () => {
    const users = native.filter((file) =>
      file.external.some((each) => /^(napi|node_api|js_native_api|node)\.h$/.test(each)),
    );
    expect(users.map((file) => file.path)).toEqual(["native/binding/napi.hpp"]);
  });

  test("libuv is used by the binding alone", () => {
    const users = native.filter((file) => file.external.includes("uv.h")).map((file) => file.path);
    expect(users.filter((path) => !path.startsWith("native/binding/"))).toEqual([]);
  });

  test("process.exit is called by lib/cli/main.ts at most", () => {
    const users = filesWith(
      /\bprocess\.exit\s*\(/,
      lib.map((file) => file.path),
    );
    expect(users.filter((path) => path !== "lib/cli/main.ts")).toEqual([]);
  });

  test("no mask of alias bits leaves the strategies and machine.cpp", () => {
    const users = filesWith(
      /\bgfn_mask\b/,
      native.map((file) => file.path),
    );
    expect(users.filter((path) => !/core\/alias\/|core\/machine\.cpp$/.test(path))).toEqual([]);
  });

  test("the core throws nothing and prints nothing", () => {
    const core = filesOf("native/core", /\.(cpp|hpp)$/);
    expect(filesWith(/\b(throw|std::cout|std::cerr|printf|std::random_device)\b/, core)).toEqual([]);
  });

  test("using namespace is written nowhere in native/", () => {
    expect(
      filesWith(
        /\busing namespace\b/,
        native.map((file) => file.path),
      ),
    ).toEqual([]);
  });
});

describe("budgets", () => {
  const linesOf = (path: string): number => read(path).trimEnd().split("\n").length;

  test("no source file has more than 350 lines", () => {
    const others = ["test", "scripts", "bench"].flatMap((folder) => filesOf(folder, /\.(ts|mjs|cpp|hpp)$/));
    const long = [...paths, ...others].filter((path) => linesOf(path) > 350);
    expect(long.map((path) => `${path}: ${linesOf(path)}`)).toEqual([]);
  });

  test("lib/index.ts has at most 40 lines", () => {
    expect(linesOf("lib/index.ts")).toBeLessThanOrEqual(40);
  });
});

describe("what the repository holds", () => {
  // New files too, so that the rule speaks before the commit.
  const listed = existsSync(join(root, ".git"))
    ? execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
        cwd: root,
        encoding: "utf8",
      })
        .split("\0")
        .filter((path) => path !== "" && existsSync(join(root, path)))
        .filter((path) =>
          /\.(\w*(md|ts|js|json|yml|txt|gyp|gypi|cpp|hpp)|npmrc)$|^[^.]+$|CMakeLists/.test(path),
        )
    : undefined;

  test.skipIf(!listed)("no file names a package registry (skipped outside a git checkout)", () => {
    expect(listed?.length).toBeGreaterThan(50);
    const address = /registry\.[a-z]+\.(org|com|io|net|dev)\b|npmjs\.|deb\.debian\.|"resolved": *"http/;
    expect(listed?.filter((path) => address.test(read(path)))).toEqual([]);
  });

  test.skipIf(!listed)("no file holds the path of a checkout (skipped outside a git checkout)", () => {
    expect(listed?.filter((path) => read(path).includes(`${root}/`))).toEqual([]);
  });
});
