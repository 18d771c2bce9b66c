// What a person sees: widths, colours, pipes and signals.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { BOOT, gpalias, MAIN } from "./run-cli.js";

const ESCAPE = "\u001b";
const folder = mkdtempSync(join(tmpdir(), "gpalias-terminal-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("text for a person", () => {
  test.each(["60", "80", "120"])(
    "at %s columns no line is wider, and every figure is there",
    async (columns) => {
      const { status, stdout } = await gpalias(["replay", "examples/boot-q35-2c-1g.faults.bin.br"], {
        env: { COLUMNS: columns },
      });
      expect(status).toBe(0);
      const tooWide = stdout.split("\n").filter((line) => line.length > Number(columns));
      expect(tooWide).toEqual([]);
      for (const figure of ["139,387", "8,904", "71,387", "59,095", "51.2 %", "MiB", "events/s"]) {
        expect(stdout).toContain(figure);
      }
    },
  );

  test("bars are drawn where there is room and left out where there is not", async () => {
    const [wide, narrow] = await Promise.all(
      ["120", "60"].map((columns) => gpalias(["replay", BOOT], { env: { COLUMNS: columns } })),
    );
    expect(wide?.stdout).toMatch(/fixed.*####/);
    expect(narrow?.stdout).not.toContain("####");
  });

  test("a pipe gets no colour and stderr no progress", async () => {
    const { stdout, stderr } = await gpalias(["replay", BOOT]);
    expect(stdout + stderr).not.toContain(ESCAPE);
  });

  test("--quiet leaves stderr empty; so does a plain replay that guessed nothing wrong", async () => {
    expect((await gpalias(["replay", BOOT, "--quiet"])).stderr).toBe("");
  });
});

// script(1) gives the command a terminal of its own.
const hasScript = existsSync("/usr/bin/script");
describe.skipIf(!hasScript)("on a terminal (skipped where script(1) is absent)", () => {
  const onTerminal = (env: Record<string, string>): Promise<string> =>
    new Promise((resolve) => {
      const line = `${process.execPath} ${MAIN} replay ${BOOT}`;
      const child = spawn("script", ["-qec", line, "/dev/null"], {
        env: { ...process.env, TERM: "xterm", ...env },
      });
      let text = "";
      child.stdout.on("data", (data) => {
        text += data;
      });
      child.on("close", () => resolve(text));
    });

  test("headings are coloured, and NO_COLOR switches that off", async () => {
    expect(await onTerminal({ NO_COLOR: "" })).toContain(`${ESCAPE}[1m`);
    expect(await onTerminal({ NO_COLOR: "1" })).not.toContain(`${ESCAPE}[1m`);
  });
});

describe("pipes and signals", () => {
  test("a reader that closes the pipe early ends the command quietly", async () => {
    const { status, stderr } = await new Promise<{ status: number | null; stderr: string }>((resolve) => {
      const child = spawn(process.execPath, [MAIN, "replay", BOOT]);
      let stderr = "";
      child.stdout.destroy();
      child.stderr.on("data", (data) => {
        stderr += data;
      });
      child.on("close", (code) => resolve({ status: code, stderr }));
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "%s in mid-replay says how far it came and exits %d, leaving no file",
    async (signal, expected) => {
      const out = join(folder, `${signal}.json`);
      // One event a batch keeps the replay busy for long enough.
      const { status, stdout, stderr } = await gpalias(["replay", BOOT, "--batch", "1", "-o", out], {
        onStart: (kill) => whenPartAppears(signal, () => setTimeout(() => kill(signal), 300)),
      });
      expect({ status, stdout }).toEqual({ status: expected, stdout: "" });
      expect(stderr).toMatch(/^gpalias: interrupted after [\d,]+ events\n$/);
      expect(readdirSync(folder).filter((name) => name.startsWith(signal))).toEqual([]);
    },
  );
});

test("SIGINT ends a command that waits for stdin", async () => {
  const child = spawn(process.execPath, [MAIN, "convert", "-", "-o", join(folder, "never")]);
  const ended = new Promise((resolve) => child.on("close", resolve));
  // Started when it has opened stdin, which cannot be seen from here.
  setTimeout(() => child.kill("SIGINT"), 1500);
  expect(await ended).toBe(130);
});

/** The output's temporary file is there as soon as the work begins. */
function whenPartAppears(name: string, then: () => void): void {
  const timer = setInterval(() => {
    if (!readdirSync(folder).some((file) => file.startsWith(`${name}.json.`))) return;
    clearInterval(timer);
    then();
  }, 20);
}

test("-o writes what stdout would have had", async () => {
  const out = join(folder, "out.json");
  const { status, stdout } = await gpalias(["replay", BOOT, "--json", "-o", out]);
  expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
  expect(JSON.parse(readFileSync(out, "utf8")).outcomes).toEqual({ hit: 8904, fixed: 71387, emulate: 59095 });
  expect(readdirSync(folder)).toEqual(["out.json"]);
});
