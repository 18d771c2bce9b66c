// The behaviour checklist: one line each for what KVM does with an address, a
// slot, a fault, an entry, a flush, a log. Every row that the model covers has
// a test that begins with its number, here or in the native tests.
import { expect, test } from "vitest";
import { filesOf, read } from "./support/source-graph.js";

/** Rows from `first` to `last`, written B01, B02. */
const rows = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, i) => `B${String(first + i).padStart(2, "0")}`);

const sections: Readonly<Record<string, readonly string[]>> = {
  "addresses and aliases": [...rows(1, 21), "B21a", "B21b", "B22", "B23"],
  memslots: rows(24, 36),
  "the fault path": [...rows(37, 54), "B54a"],
  "both MMUs' tables": rows(55, 65),
  "flushes and dirty logs": rows(66, 76),
  "a guest's own tables": rows(77, 84),
  "asynchronous faults, write tracking, memory types": rows(85, 87),
};

const named = /\bB\d\d[ab]?\b/g;

/** What the quoted pieces after a macro's parenthesis say, as C++ joins them. */
function namesInCpp(source: string): string[] {
  const code = source.replace(/^\s*\/\/.*$/gm, "");
  return [...code.matchAll(/\bTEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)/g)].map((found) =>
    [...(found[1] ?? "").matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((piece) => piece[1]).join(""),
  );
}

function namesInTs(source: string): string[] {
  const code = source.replace(/^\s*\/\/.*$/gm, "");
  const calls = /\b(?:test|describe)(?:\.each\([^)]*\))?\(\s*(["'`])((?:(?!\1)[^\\]|\\.)*)\1/g;
  return [...code.matchAll(calls)].map((found) => found[2] ?? "");
}

const names = [
  ...filesOf("test/native", /_test\.cpp$/).flatMap((path) => namesInCpp(read(path))),
  ...filesOf("test", /\.test\.ts$/).flatMap((path) => namesInTs(read(path))),
];
const tested = new Set(names.flatMap((name) => name.match(named) ?? []));

test("names of tests are read, and comments are not", () => {
  expect(names.length).toBeGreaterThan(400);
  const cpp = '// TEST_CASE("c")\nTEST_CASE(\n    "a: one "\n    "line") {\n  // b\n}';
  expect(namesInCpp(cpp)).toEqual(["a: one line"]);
  expect(namesInTs('// test("c", f);\ntest("a: one", f);\n')).toEqual(["a: one"]);
});

test.each(Object.entries(sections))("every row about %s has a test that names it", (_, wanted) => {
  expect(wanted.filter((row) => !tested.has(row))).toEqual([]);
});

test("every table of worked values has a test that names it", () => {
  const wanted = ["A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8"];
  expect(
    wanted.filter((table) => !names.some((name) => new RegExp(`^[^:]*\\b${table}\\b`).test(name))),
  ).toEqual([]);
});

test("no test names a row that there is not", () => {
  const known = new Set(Object.values(sections).flat());
  expect([...tested].filter((row) => !known.has(row)).sort()).toEqual([]);
});
