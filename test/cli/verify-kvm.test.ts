// `gpalias verify kvm` as its user sees it: with a KVM, without, and without
// the right to open it.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { hasKvm } from "../support/live-kvm.js";
import { gpalias, gpaliasJson } from "./run-cli.js";

const folder = mkdtempSync(join(tmpdir(), "gpalias-verify-kvm-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("verify kvm", () => {
  test.each([
    ["/no/such/kvm", "this machine has no KVM"],
    ["/dev/null", "it is not KVM's device"],
  ])("where %s is the device it says why not, in one line, and exits 4", async (device, reason) => {
    const { status, stdout, stderr } = await gpalias(["verify", "kvm", "--device", device]);
    expect([status, stdout, stderr]).toEqual([4, "", `gpalias: ${device}: ${reason}\n`]);
  });

  test.skipIf(process.getuid?.() !== 0)("so it does without permission (needs root to lose it)", async () => {
    const device = join(folder, "kvm");
    writeFileSync(device, "");
    chmodSync(device, 0o600);
    chmodSync(folder, 0o755);
    const { status, stdout, stderr } = await gpalias(["verify", "kvm", "--device", device], { uid: 65_534 });
    expect([status, stdout, stderr]).toEqual([4, "", `gpalias: ${device}: no permission to open it\n`]);
  });

  test.each([
    [["verify", "kvm", "a.jsonl"], 'verify kvm reads no file, got "a.jsonl"'],
    [["verify", "vectors"], "verify vectors needs a file"],
    [["verify", "vectors", "a.jsonl", "--seed", "3"], "--seed is an option of verify kvm"],
    [["verify", "kvm", "--seed", "4294967296"], "expected an integer from 0 to 4294967295"],
    [["verify", "kvm", "--cases", "0"], "expected an integer from 1 to 10000000"],
  ])("%j exits 2 and says what was meant", async (args, says) => {
    const { status, stdout, stderr } = await gpalias(args);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(says);
  });
});

describe.skipIf(!hasKvm)("beside this machine's KVM", () => {
  test("every answer is the same, in text and as JSON", async () => {
    const args = ["verify", "kvm", "--seed", "3", "--cases", "30"];
    const { status, stdout, stderr } = await gpalias(args);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^30 scripts of seed 3: every answer the same\n/);
    expect(stdout).toContain("engine      pvm-6.18");
    const document = await gpaliasJson(args);
    expect(document).toMatchObject({ schemaVersion: 1, seed: 3, cases: 30, difference: null });
    // How steady a kernel is depends on the moment.
    expect({ ...(await gpaliasJson(args)), unsteady: 0 }).toEqual({ ...document, unsteady: 0 });
  });

  test("Ctrl-C ends it soon, with one line and 130", async () => {
    const onStart = async (kill: (signal: NodeJS.Signals) => void) => {
      await wait(1500);
      kill("SIGINT");
    };
    const began = performance.now();
    const ended = await gpalias(["verify", "kvm", "--cases", "10000000"], { onStart });
    expect(ended).toEqual({ status: 130, stdout: "", stderr: "gpalias: interrupted\n" });
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});
