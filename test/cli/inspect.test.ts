import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { BOOT, BOOT_SLOTS, BOOT_TEXT, gpalias, gpaliasJson } from "./run-cli.js";

const folder = mkdtempSync(join(tmpdir(), "gpalias-inspect-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("inspect", () => {
  test("counts events by kind, vCPUs and touched pages as the capture's own file does", async () => {
    const { input, ranges } = await gpaliasJson(["inspect", BOOT]);
    const capture = JSON.parse(readFileSync(BOOT_SLOTS, "utf8"));
    expect(input.events).toBe(capture.records);
    expect(input.byKind).toEqual({ access: capture.records - capture.markers, end: 1 });
    expect(input.vcpus).toBe(2);
    expect(input.firstTime).toBeCloseTo(capture.first_time_ns / 1e9, 9);
    expect(input.lastTime).toBeCloseTo(capture.last_time_ns / 1e9, 9);
    const pages = ranges.reduce((sum: number, range: { pages: number }) => sum + range.pages, 0);
    expect(pages).toBe(capture.unique_pages + capture.unique_mmio_pages);
  });

  test("ranges ascend, do not meet, and hold no more pages than they have", async () => {
    const { ranges } = await gpaliasJson(["inspect", BOOT]);
    let end = -Infinity;
    for (const { gpa, bytes, pages } of ranges) {
      expect(Number(gpa)).toBeGreaterThanOrEqual(end + 2 ** 21);
      expect(pages).toBeLessThanOrEqual(bytes / 4096);
      end = Number(gpa) + bytes;
    }
  });

  test("its memslots are a --memslots file that replays to the same outcomes", async () => {
    const { memslots } = await gpaliasJson(["inspect", BOOT]);
    const path = join(folder, "slots.json");
    writeFileSync(path, JSON.stringify(memslots));
    const result = await gpaliasJson(["replay", BOOT, "--memslots", path]);
    expect(result.outcomes).toEqual({ hit: 8904, fixed: 71387, emulate: 59095 });
  });

  test("without a capture's file beside it, memslots are guessed from addresses and said to be", async () => {
    const alone = join(folder, "alone.faults.bin.br");
    writeFileSync(alone, readFileSync(BOOT));
    const { guesses, memslots } = await gpaliasJson(["inspect", alone]);
    const guess = guesses.find((each: { what: string }) => each.what === "memslot 0");
    expect(guess.confidence).toBeLessThan(1);
    expect(memslots.length).toBeGreaterThan(1);
  });

  const line = (seconds: string, event: string) => `  CPU 0/KVM-7 [000] ..... ${seconds}: ${event}\n`;
  const fault = "kvm_page_fault: vcpu 0 rip 0x1000 address 0x0000000000005000 error_code 0x182";

  test("a trace without a fault is described, without empty tables", async () => {
    const path = join(folder, "no-faults.txt");
    writeFileSync(path, line("1.000001", "kvm_entry: vcpu 0, rip 0x1000"));
    const { status, stdout } = await gpalias(["inspect", path]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/events +none\n +passed over +1 kvm_entry\n/);
    expect(stdout).toContain("No memory is touched.\n");
    expect(stdout).toContain("No memslot can be told from it");
    expect(stdout).not.toContain("start");
  });

  test("recordings that were joined have ends, and no length below zero", async () => {
    const path = join(folder, "joined.txt");
    writeFileSync(path, line("9.000001", fault) + line("1.000001", fault));
    const { stdout } = await gpalias(["inspect", path]);
    expect(stdout).toMatch(/span +from 9\.000001 s to 1\.000001 s, 1/);
    expect(stdout.replace(/\s+/g, " ")).toContain("time runs backwards 1 time, first before event 1");
  });

  test("stdin gives what the file gives", async () => {
    const [piped, read] = await Promise.all([
      gpaliasJson(["inspect", "-"], { stdin: readFileSync(BOOT) }),
      gpaliasJson(["inspect", BOOT]),
    ]);
    expect(piped.input).toEqual({ ...read.input, path: "stdin" });
    expect(piped.ranges).toEqual(read.ranges);
  });

  test("text at 60 columns is not wider, and at 120 says the same figures", async () => {
    const [narrow, wide] = await Promise.all(
      ["60", "120"].map((columns) =>
        gpalias(["inspect", "examples/boot-q35-2c-1g.faults.bin.br"], { env: { COLUMNS: columns } }),
      ),
    );
    expect(narrow?.stdout.split("\n").filter((line) => line.length > 60)).toEqual([]);
    const figures = (text = "") => text.match(/\d[\d,]{3,}/g);
    expect(figures(narrow?.stdout)).toEqual(figures(wide?.stdout));
  });
});

describe("convert", () => {
  test.each(["none", "gzip", "brotli"])(
    "to binary with compression %s loses no event that replays",
    async (compress) => {
      const out = join(folder, `boot.${compress}`);
      const { status, stdout, stderr } = await gpalias(["convert", BOOT, "-o", out, "--compress", compress]);
      expect({ status, stdout, stderr }).toEqual({
        status: 0,
        stdout: "",
        stderr: "gpalias: 139,387 events written\n",
      });
      const result = await gpaliasJson(["replay", out, "--memslots", BOOT_SLOTS]);
      expect(result.input).toMatchObject({ format: "binary", compression: compress, events: 139387 });
      expect(result.outcomes).toEqual({ hit: 8904, fixed: 71387, emulate: 59095 });
    },
  );

  test("text to binary and back gives the lines that came in", async () => {
    const [binary, text] = [join(folder, "text.bin"), join(folder, "text.txt")];
    await gpalias(["convert", BOOT_TEXT, "-o", binary]);
    await gpalias(["convert", binary, "-o", text, "--to", "ftrace"]);
    const fields = (content: Buffer) =>
      content
        .toString()
        .split("\n")
        .filter((line) => line.includes("kvm_page_fault:"))
        .map((line) => line.slice(line.indexOf("kvm_page_fault:")));
    expect(fields(readFileSync(text))).toEqual(fields(brotliDecompressSync(readFileSync(BOOT_TEXT))));
  });

  test("operations have no line in tracefs text, and that is said", async () => {
    const { status, stderr } = await gpalias([
      "convert",
      BOOT,
      "-o",
      join(folder, "boot.txt"),
      "--to",
      "ftrace",
    ]);
    expect(status).toBe(0);
    expect(stderr).toContain("1 of them as comments");
  });

  test("stdin to stdout, without a word on stderr when quiet", async () => {
    const stdin = brotliDecompressSync(readFileSync(BOOT)).subarray(0, 3200);
    const { status, stdout, stderr } = await gpalias(["convert", "-", "-o", "-", "--to", "ftrace", "-q"], {
      stdin,
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.match(/kvm_page_fault:/g)).toHaveLength(100);
  });

  test("a damaged trace leaves no file", async () => {
    const out = join(folder, "damaged.out");
    const cut = readFileSync(BOOT).subarray(0, 300_000);
    const { status } = await gpalias(["convert", "-", "-o", out], { stdin: cut });
    expect(status).toBe(3);
    expect(() => readFileSync(out)).toThrow("ENOENT");
  });
});
