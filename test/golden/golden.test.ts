// Recorded behaviour: a difference is either a mistake or a decision, and a
// decision is recorded with `npm run golden -- --accept`.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { cases } from "./cases.js";
import { runCase } from "./run-case.js";

const accept = process.env["GPALIAS_GOLDEN"] === "accept";
const folder = new URL(".", import.meta.url);
const fileOf = (name: string): URL => new URL(`${name}.json`, folder);
const recordings = (): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.replace(".json", ""));

describe("recorded outcomes", () => {
  test.each(Object.entries(cases))("%s is as recorded", (name, definition) => {
    const text = `${JSON.stringify(runCase(definition), null, 2)}\n`;
    if (accept) writeFileSync(fileOf(name), text);
    if (!existsSync(fileOf(name))) {
      throw new Error(`${name}.json is missing; npm run golden -- --accept writes it`);
    }
    expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(fileOf(name), "utf8")));
  });

  test("no recording is left over from a case that is gone", () => {
    const left = recordings().filter((name) => !(name in cases));
    if (accept) for (const name of left) rmSync(fileOf(name));
    expect(recordings().sort()).toEqual(Object.keys(cases).sort());
  });
});
