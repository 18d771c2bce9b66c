// The long run, a thousandth of it: the script stays right, and ends when told.
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../support/source-graph.js";

const script = join(root, "bench/scale.mjs");
const scale = (...args: string[]) =>
  spawnSync(process.execPath, [script, ...args], { cwd: root, encoding: "utf8" });

describe("bench/scale.mjs", () => {
  test("a thousandth of the long run has every outcome that it must have, in memory that stays", () => {
    const { status, stdout, stderr } = scale("--divide", "1024", "--json");
    expect(status, stderr).toBe(0);
    const { events, shape, phases, memory } = JSON.parse(stdout);
    expect(events).toBe(shape.events);
    expect(shape).toMatchObject({ events: 976_563, regions: 512, vcpus: 4096 });
    const outcomes = new Set(phases.flatMap((phase: { outcomes: object }) => Object.keys(phase.outcomes)));
    expect([...outcomes].sort()).toEqual(["done", "emulate", "fixed", "hit", "memoryFault"]);
    expect(memory.guests.plain.pages).toBe(512 * 382 + 8 * 511 + 1);
    expect(memory.flat.mostMib - memory.flat.leastMib).toBeLessThan(64);
  });

  test("a person gets a table of its phases", () => {
    const { status, stdout } = scale("--divide", "1024", "--events", "700000");
    expect(status).toBe(0);
    expect(stdout).toContain("plain: first touches over 52 bits");
    expect(stdout).toContain("700,000 events in ");
    expect(stdout).toContain("audits, which found nothing");
  });

  test("fewer events than filling and turning take are as many as those take", () => {
    const { status, stdout } = scale("--divide", "1024", "--events", "1000", "--json");
    expect(status).toBe(0);
    const { events, phases } = JSON.parse(stdout);
    expect(events).toBeGreaterThan(400_000);
    expect(phases.filter(({ name }: { name: string }) => name.startsWith("hits"))).toEqual([]);
  });

  test("a divisor that is no power of two is a usage error", () => {
    const { status, stderr } = scale("--divide", "3");
    expect(status).toBe(2);
    expect(stderr).toBe("scale: --divide takes a power of two from 1 to 1024, got 3\n");
  });

  test("Ctrl-C ends it between two batches, with a sentence and 130", async () => {
    const child = spawn(process.execPath, [script, "--divide", "1024", "--events", "20000000000"], {
      cwd: root,
    });
    let said = "";
    child.stderr.on("data", (chunk) => {
      // Once it says how far it is, it listens.
      if (said === "") child.kill("SIGINT");
      said += chunk;
    });
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect(code).toBe(130);
    expect(said).toMatch(/\nscale: stopped in "[^"]+"\n$/);
  });
});
