// The lines that a replayed VM prints: to a file, to stdout, and back in.
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { gpalias, gpaliasJson, STORM_HEAD } from "./run-cli.js";

const MINUTES = 60_000;
const aFolder = () => mkdtempSync(join(tmpdir(), "gpalias-emit-"));

// A few faults of our own making, as tracefs would have recorded them.
const FAULTS = [0x1000, 0x2000, 0x201000, 0x1000]
  .map(
    (gpa, i) =>
      `             vmm-1       [000] d..1.     0.00000${i}: kvm_page_fault: vcpu 0 rip 0x0 ` +
      `address 0x${gpa.toString(16).padStart(16, "0")} error_code 0x182\n`,
  )
  .join("");

describe("gpalias replay --emit-trace", () => {
  test("writes a trace that can be replayed, with the same outcome", async () => {
    const path = join(aFolder(), "model.txt");
    const before = await gpaliasJson(["replay", "-", "--emit-trace", path], { stdin: FAULTS });
    const text = readFileSync(path, "utf8");
    expect(text).toMatch(/^# tracer: nop\n/);
    expect(text.match(/kvm_page_fault/g)).toHaveLength(3);
    const again = await gpaliasJson(["replay", path]);
    expect(again.outcomes).toEqual({ fixed: before.outcomes.fixed });
    expect(again.input.format).toBe("ftrace");
  });

  test("changes nothing in the result but the memory that tables take", async () => {
    const path = join(aFolder(), "model.txt");
    const { timing: _a, tables, ...plain } = await gpaliasJson(["replay", "-"], { stdin: FAULTS });
    const traced = await gpaliasJson(["replay", "-", "--emit-trace", path], { stdin: FAULTS });
    const { timing: _b, tables: others, ...rest } = traced;
    expect(rest).toEqual(plain);
    expect(others.byLevel).toEqual(tables.byLevel);
  });

  test("- prints the lines in place of the result", async () => {
    const { status, stdout } = await gpalias(["replay", "-", "--emit-trace", "-", "-q"], { stdin: FAULTS });
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.every((line) => line.startsWith("#") || /^ +gpalias-1 +\[000\]/.test(line))).toBe(true);
  });

  test("is refused where lines and result would meet", async () => {
    const refused = async (...options: string[]) => {
      const { status, stderr } = await gpalias(["replay", "-", ...options], { stdin: FAULTS });
      expect(status).toBe(2);
      return stderr;
    };
    expect(await refused("--emit-trace", "-", "--json")).toContain("both want stdout");
    expect(await refused("--emit-trace", "-", "-o", "x")).toContain("-o");
    expect(await refused("--emit-trace", "x.txt", "-o", "x.txt")).toContain("same file");
    expect(existsSync("x.txt")).toBe(false);
  });

  test.skipIf(!existsSync("/dev/full"))("names the file when the disk is full", async () => {
    const ended = await gpalias(["replay", "-", "--emit-trace", "/dev/full"], { stdin: FAULTS });
    expect(ended.status).not.toBe(0);
    expect(ended.stderr).toContain("/dev/full");
    expect(ended.stderr).toMatch(/disk is full/);
  });

  test(
    "leaves no half of a file behind a bad trace",
    async () => {
      const path = join(aFolder(), "model.txt");
      const { status } = await gpalias(["replay", "/dev/null", "--emit-trace", path]);
      expect(status).not.toBe(0);
      expect(existsSync(path)).toBe(false);
    },
    MINUTES,
  );

  test(
    "prints every fault of a logged guest once, and each that was quick as the fast path's",
    async () => {
      const path = join(aFolder(), "storm.txt");
      const result = await gpaliasJson([
        "replay",
        STORM_HEAD,
        "--trace-release",
        "5.10",
        "--emit-trace",
        path,
      ]);
      const text = readFileSync(path, "utf8");
      const count = (name: string) => text.split(` ${name}: `).length - 1;
      // Others are writes to ROM, which the fast path declines.
      expect(text.match(/fast_page_fault: .* fixed 1$/gm)).toHaveLength(result.stats.pf_fast);
      expect(count("mark_mmio_spte")).toBe(result.stats.pf_mmio_spte_created);
      expect(text).not.toContain("LOST");
    },
    5 * MINUTES,
  );
});
