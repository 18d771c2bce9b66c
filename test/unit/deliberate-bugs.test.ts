// The deliberate bugs that the tests must find are places in the sources, which move: each must be there, once.
import { expect, test } from "vitest";
import { read } from "../support/source-graph.js";

interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

test("every deliberate bug has its place, once, and changes it", async () => {
  const list = new URL("../../scripts/mutants/list.mjs", import.meta.url).href;
  const { mutants: all } = (await import(list)) as { mutants: readonly Mutant[] };
  expect(all.length).toBeGreaterThan(40);
  const lost = all.filter(({ file, find }) => read(file).split(find).length !== 2);
  expect(lost.map(({ name, file }) => `${name}: ${file}`)).toEqual([]);
  expect(all.filter(({ find, replace }) => find === replace)).toEqual([]);
});
