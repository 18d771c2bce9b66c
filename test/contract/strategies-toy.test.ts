// Adding a strategy touches one file. A copy of the core gets the example
// strategy dropped in beside the others and is built by the project's own
// CMakeLists.txt; nothing else of the copy is edited.
//
// The copy stays in out/, so that a second run compiles only what has changed.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { root } from "../support/source-graph.js";

const copy = join(root, "out/toy-strategy/tree");
const build = join(root, "out/toy-strategy/build");
const toy = readFileSync(join(root, "examples/toy-strategy.cpp"), "utf8");
// The core alone compiles in half a minute on two cores that are free.
const MINUTES = 60_000;

/** Paths of the copy, and which files of the repository they are. */
function wanted(): Map<string, string> {
  const files = new Map<string, string>();
  const add = (path: string, source = path): unknown => files.set(path, join(root, source));
  for (const path of ["CMakeLists.txt", "native/sources.mjs", "test/native/main.cpp"]) add(path);
  for (const name of readdirSync(join(root, "native/core"), { recursive: true, encoding: "utf8" })) {
    if (/\.[ch]pp$/.test(name)) add(join("native/core", name));
  }
  for (const name of readdirSync(join(root, "test/native"))) {
    if (/^(alias_laws|failing_memory)/.test(name)) add(join("test/native", name));
  }
  add("test/native/strategy_tour_test.cpp", "test/contract/fixtures/strategy_tour_test.cpp");
  add("native/core/alias/toy_strategy.cpp", "examples/toy-strategy.cpp");
  return files;
}

// By content, not by age: a file that is the same keeps its object.
function put(path: string, text: string): void {
  const target = join(copy, path);
  if (existsSync(target) && readFileSync(target, "utf8") === text) return;
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
}

function makeCopy(): void {
  const files = wanted();
  for (const empty of ["bench", "check", "trace", "observe", "kvm"])
    mkdirSync(join(copy, "native", empty), { recursive: true });
  for (const name of readdirSync(copy, { recursive: true, encoding: "utf8" })) {
    if (/\.\w+$/.test(name) && !files.has(name)) rmSync(join(copy, name));
  }
  for (const [path, source] of files) put(path, readFileSync(source, "utf8"));
}

function run(command: string, args: readonly string[]): { code: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", maxBuffer: 1 << 26 });
  return { code: status, text: `${stdout}${stderr}` };
}

/** Builds the copy and says which objects were compiled for it. */
function make(): string[] {
  const steps = [
    // No build type means no optimisation, which compiles fastest.
    ["-S", copy, "-B", build, "-DCMAKE_BUILD_TYPE=None"],
    ["--build", build, "--parallel", "2", "--verbose", "--target", "native-tests"],
  ];
  const [, built] = steps.map((args) => {
    const { code, text } = run("cmake", args);
    if (code !== 0) throw new Error(`cmake ${args.join(" ")} ended with ${code}:\n${text}`);
    return text;
  });
  const objects = [...(built ?? "").matchAll(/ -o \S*?((?:native|test)\/\S+)\.o -c /g)];
  return objects.map((match) => match[1] ?? "");
}

const tests = (...args: string[]) => run(join(build, "native-tests"), ["--no-colors=true", ...args]);

interface Stop {
  readonly run: string;
  readonly preset: string;
  readonly outcomes: string;
  readonly range: number;
  readonly full: number;
  readonly pages: number;
  readonly violations: number;
}

function tour(): Stop[] {
  const { code, text } = tests("--test-case=tour");
  expect(code, text).toBe(0);
  return [...text.matchAll(/^\{.*\}$/gm)].map(([line]) => JSON.parse(line) as Stop);
}

function laws(): { code: number | null; text: string } {
  return tests("--test-case-exclude=tour");
}

beforeAll(() => {
  makeCopy();
  make();
}, 10 * MINUTES);

describe("a strategy that was added as one file", () => {
  test("is the file that the document shows", () => {
    expect(readFileSync(join(root, "docs/alias-strategies.md"), "utf8")).toContain(
      `\`\`\`cpp\n${toy}\`\`\`\n`,
    );
  });

  test("is listed, and runs with both flavours under both kinds of preset", () => {
    const runs = tour().filter(({ run }) => run.startsWith("toy/"));
    expect(runs.map(({ run, preset }) => `${run} ${preset}`).sort()).toEqual([
      "toy/rmap bits:47",
      "toy/rmap tdx47",
      "toy/tdp bits:47",
      "toy/tdp tdx47",
    ]);
    expect(runs.filter(({ violations }) => violations !== 0)).toEqual([]);
  });

  test("compares with its neighbours: the outcomes of precise, and more pages flushed", () => {
    const stops = tour().filter(({ preset }) => preset === "bits:47");
    const [mine, precise] = ["toy/tdp", "precise/tdp"].map((run) => stops.find((stop) => stop.run === run));
    expect(mine?.outcomes).toBe("fixed fixed done fixed fixed");
    expect(mine?.outcomes).toBe(precise?.outcomes);
    // The range is 16 pages long and has two aliases; one page of each was mapped.
    expect(mine).toMatchObject({ range: 2, pages: 32, full: 0 });
    expect(precise).toMatchObject({ range: 2, pages: 2, full: 0 });
  });

  test("is held to the laws without being named to them", () => {
    const { code, text } = laws();
    expect(code, text).toBe(0);
  });

  test(
    "fails them when it forgets an alias, and costs one object to build",
    () => {
      const forgetful = toy.replace("plan.call(view.range)", "if (view.alias == 0) plan.call(view.range)");
      expect(forgetful).not.toBe(toy);
      put("native/core/alias/toy_strategy.cpp", forgetful);
      try {
        expect(make()).toEqual(["native/core/alias/toy_strategy.cpp"]);
        const { code, text } = laws();
        expect(code).not.toBe(0);
        expect(text).toContain("entry->name := toy");
        expect(text).toContain("what was taken is flushed");
        // Found by the laws alone: what it does is plausible.
        expect(tour().find(({ run }) => run === "toy/tdp")?.outcomes).toBe("fixed fixed done fixed fixed");
      } finally {
        put("native/core/alias/toy_strategy.cpp", toy);
      }
    },
    5 * MINUTES,
  );
});
