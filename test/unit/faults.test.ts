// The faults that the checks are scored by are places in the sources, which move: each must be there, once.
import { describe, expect, test } from "vitest";
import { read } from "../support/source-graph.js";

interface Fault {
  readonly name: string;
  readonly file: string;
  readonly replace: string;
  readonly survives?: string;
  readonly by?: "kvm";
}

const load = async <T>(path: string): Promise<T> =>
  (await import(new URL(`../../scripts/faults/${path}`, import.meta.url).href)) as T;
const { faults } = await load<{ faults: readonly Fault[] }>("list.mjs");
const { weave } = await load<{ weave(read: (file: string) => string): Map<string, string> }>("weave.mjs");

describe("faults to inject", () => {
  test("all have their place, and each a question of its own", () => {
    const woven = weave(read);
    const texts = [...woven.values()].join("");
    for (const [index, { name }] of faults.entries())
      expect(texts.split(`fault_is(${index + 1})`).length, name).toBeGreaterThan(1);
    expect(texts).not.toContain("FAULT");
  });

  test("a place that moved is named", () => {
    const moved = (file: string) => (file.endsWith("tlb_flush.cpp") ? "" : read(file));
    expect(() => weave(moved)).toThrow(
      /"a full flush is dropped" needs this once in .*tlb_flush\.cpp, found 0/,
    );
  });

  test("are more than forty, each once, and at most one in twenty is excused", () => {
    expect(faults.length).toBeGreaterThan(40);
    expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length);
    expect(faults.filter(({ survives }) => survives).length / faults.length).toBeLessThan(0.05);
  });

  test("that survive are explained in the docs, and the count there is right", () => {
    const page = read("docs/fault-injection.md");
    for (const { name } of faults.filter(({ survives }) => survives)) expect(page).toContain(`**${name}**`);
    const checked = faults.filter(({ by }) => by === undefined);
    const survivors = checked.filter(({ survives }) => survives).length;
    expect(page).toContain(`| ${checked.length} | ${checked.length - survivors} |`);
    const asked = faults.length - checked.length;
    expect(page).toContain(`${asked} wrong rules`);
  });
});
