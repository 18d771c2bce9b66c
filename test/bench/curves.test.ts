// The curves are measured, printed and drawn; small ones, in a second.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { root } from "../support/source-graph.js";

const load = (name: string) => import(pathToFileURL(join(root, "bench/curves", name)).href);
const { measurePoints } = await load("measure.mjs");
const { pictureOf } = await load("picture.mjs");
const { tableOf } = await load("table.mjs");

const curves = (...args: string[]) =>
  spawnSync(process.execPath, [join(root, "bench/curves.mjs"), ...args], { cwd: root, encoding: "utf8" });

describe("bench/curves.mjs", () => {
  test("an axis is a table of Markdown, a point a row, and a picture beside it", () => {
    const folder = mkdtempSync(join(tmpdir(), "gpalias-curves-"));
    try {
      const { status, stdout, stderr } = curves("pages", "--most", "4096", "--rounds", "1", "--svg", folder);
      expect(status, stderr).toBe(0);
      expect(stdout).toContain(
        "| pages | hit | lost W | dirty log, a dirty page | zap, a page | first touch |",
      );
      expect(stdout.match(/^\| (1,024|4,096) \|/gm)).toHaveLength(2);
      expect(readFileSync(join(folder, "curve-pages.svg"), "utf8")).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test.each(["vcpus", "slots", "aliases"])(
    "every outcome of the axis %s is the one that it is about",
    (axis) => {
      const { status, stdout, stderr } = curves(axis, "--most", "8", "--rounds", "1", "--json");
      expect(status, stderr).toBe(0);
      const [curve] = JSON.parse(stdout).curves;
      expect(curve.points.length).toBeGreaterThan(1);
      for (const { ns } of curve.points)
        for (const value of Object.values(ns)) expect(value).toBeGreaterThan(0);
    },
  );

  test("the strategies are all pairs, the baseline first", () => {
    const { status, stdout, stderr } = curves("strategies", "--rounds", "1", "--json");
    expect(status, stderr).toBe(0);
    const names = JSON.parse(stdout).curves[0].points.map(({ at }: { at: string }) => at);
    expect(names).toHaveLength(15);
    expect(names[0]).toBe("none/tdp");
  });

  test("an axis that nobody has is a usage error", () => {
    const { status, stderr } = curves("colours");
    expect(status).toBe(2);
    expect(stderr).toContain('no axis "colours"; there are aliases, pages, slots, strategies, vcpus');
  });
});

describe("a curve", () => {
  test("is medians of what each round took, of as many rounds as a series takes part in", () => {
    const slow = [30, 10, 20];
    const calls: number[] = [];
    const rare = (round: number) => {
      calls.push(round);
      return 8;
    };
    const series = {
      often: { events: 10, sample: (round: number) => slow[round] },
      rare: { events: 4, rounds: 2, sample: rare },
    };
    const [point] = measurePoints([{ at: 1, series }], { rounds: 3 });
    expect(point.ns).toEqual({ often: 2, rare: 2 });
    expect(calls).toEqual([0, 1]);
  });

  test("says its figures in the table and at the end of its lines", () => {
    const points = [1, 1024].map((at) => ({ at, ns: { hit: 2 * at, "<zap>": 5 }, facts: {} }));
    const curve = { label: "pages", what: "some", unit: "ns", scale: "log", points };
    expect(tableOf(curve)).toContain("| 1,024 | 2048 | 5.00 |\n");
    const picture = pictureOf(curve);
    expect(picture).toContain("hit: 2.05 µs");
    expect(picture).toContain("&lt;zap>: 5.00 ns");
    expect(picture).toContain(">1 Ki<");
  });
});
