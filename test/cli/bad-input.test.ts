// Whatever is wrong with a file: exit 3, nothing on stdout, one line that
// names the file and the place.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BOOT, BOOT_SLOTS, BOOT_TEXT, gpalias } from "./run-cli.js";

const folder = mkdtempSync(join(tmpdir(), "gpalias-bad-input-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function refusal(args: readonly string[], stdin?: string | Uint8Array): Promise<string> {
  const { status, stdout, stderr } = await gpalias(args, stdin === undefined ? {} : { stdin });
  expect({ status, stdout, stderr }).toMatchObject({ status: 3, stdout: "" });
  expect(stderr).toMatch(/^gpalias: .+\n$/);
  return stderr;
}

describe.each(["replay", "inspect"])("%s refuses", (command) => {
  test("a file that is not there", async () => {
    expect(await refusal([command, join(folder, "absent.bin")])).toContain("absent.bin: no such file");
  });

  test("a directory", async () => {
    expect(await refusal([command, folder])).toContain("directory");
  });

  test("an empty file", async () => {
    expect(await refusal([command, file("empty", "")])).toContain("empty");
  });

  test("a file of no known format", async () => {
    const noise = Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919 + 13) % 251));
    expect(await refusal([command, file("noise.bin", noise)])).toContain("noise.bin");
  });

  test("a truncated brotli file, with the byte where it ends", async () => {
    const cut = readFileSync(BOOT).subarray(0, 300_000);
    expect(await refusal([command, file("cut.br", cut)])).toMatch(
      /cut\.br: byte \d+: the brotli stream is cut/,
    );
  });

  test.each([1000, 5000])("a brotli file of which only %d bytes are there", async (bytes) => {
    const path = file(`first-${bytes}.br`, readFileSync(BOOT).subarray(0, bytes));
    expect(await refusal([command, path])).toContain(
      `first-${bytes}.br: byte ${bytes}: the brotli stream is cut`,
    );
  });

  test("a record that is cut in the middle", async () => {
    const records = brotliDecompressSync(readFileSync(BOOT)).subarray(0, 32 * 1000 + 17);
    expect(await refusal([command, file("cut.bin", records)])).toMatch(
      /cut\.bin: record 1000 \(byte 32000\)/,
    );
  });

  test("stdin that holds nothing", async () => {
    expect(await refusal([command, "-"], "")).toContain("stdin");
  });
});

describe("text", () => {
  let lines: string[] = [];
  beforeAll(() => {
    lines = brotliDecompressSync(readFileSync(BOOT_TEXT)).toString().split("\n");
  });

  test.each([
    ["30 bytes", 30],
    ["one digit", 1],
    ["nothing but its newline", 0],
  ])("a last line that lacks %s is refused with its line number", async (_, bytes) => {
    const head = lines.slice(0, 100).join("\n");
    const cut = head.slice(0, head.length - bytes);
    const sentence = `line 100 (byte ${cut.length}): expected the end of the line: the input stops inside a`;
    expect(await refusal(["replay", file("cut.txt", cut)])).toContain(`cut.txt: ${sentence}`);
    expect(await refusal(["replay", "-"], cut)).toContain(sentence);
  });

  test("a line whose address is not a number is refused with its line number", async () => {
    const damaged = lines
      .slice(0, 100)
      .map((line, i) => (i === 49 ? line.replace("address 0x", "address zz") : line));
    expect(await refusal(["replay", file("damaged.txt", `${damaged.join("\n")}\n`)])).toContain("line 50 ");
  });

  test("events that the recorder lost: the result is printed, and the exit status is 3", async () => {
    const at = lines.findIndex((line) => line.includes("kvm_page_fault:")) + 10;
    const lossy = [...lines.slice(0, at), "CPU:1 [LOST 12 EVENTS]", ...lines.slice(at, at + 50)];
    const { status, stdout, stderr } = await gpalias([
      "replay",
      file("lossy.txt", `${lossy.join("\n")}\n`),
      "--json",
    ]);
    expect(status).toBe(3);
    const gaps = [{ before: 10, events: 12 }];
    expect(JSON.parse(stdout).input).toMatchObject({ verdict: "lossy", lost: 12, gaps });
    expect(stderr).toContain("12");
  });

  test.each(["replay", "compare", "inspect"])(
    "%s --allow-lossy takes a lossy trace for a whole one",
    async (command) => {
      const at = lines.findIndex((line) => line.includes("kvm_page_fault:")) + 10;
      const lossy = [...lines.slice(0, at), "CPU:1 [LOST 12 EVENTS]", ...lines.slice(at, at + 50)];
      const path = file(`${command}.txt`, `${lossy.join("\n")}\n`);
      const [strict, allowed] = await Promise.all([
        gpalias([command, path, "-q"]),
        gpalias([command, path, "-q", "--allow-lossy"]),
      ]);
      expect([strict.status, allowed.status]).toEqual([3, 0]);
      expect(strict.stdout).toMatch(/LOSSY +12 events lost before event 10\n/);
      expect(strict.stdout).not.toContain("no violation");
      if (command !== "inspect") expect(allowed.stdout).toContain("no violation in");
    },
  );

  test("--vendor says whose codes they are, and is a usage error where nobody has that name", async () => {
    const line = " x-9 [000] 5.0: kvm_page_fault: address 1000 error_code 14\n";
    const path = file("vendor.txt", line);
    const [guessed, told, wrong, unknown] = await Promise.all([
      gpalias(["inspect", path, "--json"]),
      gpalias(["inspect", path, "--json", "--vendor", "amd"]),
      gpalias(["inspect", path, "--vendor", "intel"]),
      gpalias(["inspect", path, "--vendor", "arm"]),
    ]);
    const vendors = (text: string) =>
      JSON.parse(text).guesses.filter(({ what }: { what: string }) => what === "vendor");
    expect(vendors(guessed.stdout)).toMatchObject([{ value: "amd", confidence: 0.7 }]);
    expect(vendors(told.stdout)).toEqual([]);
    expect([wrong.status, unknown.status]).toEqual([3, 2]);
    expect(wrong.stderr).toContain("Intel EPT violation");
  });
});

describe("--memslots", () => {
  const slots = (...list: object[]) => JSON.stringify(list);
  const ram = { slot: 0, gpa: "0x0", size: "1G" };

  test.each([
    ["no JSON", "{", "slots.json"],
    ["not an array", '"slots"', "memslots"],
    ["overlapping slots", slots(ram, { slot: 1, gpa: "0x1000", size: "4K" }), "ERR_MEMSLOT_OVERLAP"],
    ["an unaligned slot", slots({ slot: 0, gpa: "0x800", size: "4K" }), "ERR_MEMSLOT_GPA"],
    ["a slot of more than 2^31 - 1 pages", slots({ slot: 0, gpa: 0, size: "8T" }), "ERR_MEMSLOT_TOO_LARGE"],
    ["an empty array", "[]", "slots.json must be a non-empty array of memslots"],
    ["a key that slots do not have", slots({ ...ram, flag: 1 }), 'has no key "flag"; did you mean flags?'],
    ["a slot without a size", slots({ slot: 0, gpa: 0 }), "size"],
  ])("%s is refused", async (_, content, sentence) => {
    expect(await refusal(["replay", BOOT, "--memslots", file("slots.json", content)])).toContain(sentence);
  });

  test("a file that is not there is refused", async () => {
    expect(await refusal(["replay", BOOT, "--memslots", join(folder, "none.json")])).toContain("none.json");
  });

  test("a directory is refused by name", async () => {
    expect(await refusal(["replay", BOOT, "--memslots", folder])).toBe(
      `gpalias: ${folder}: it is a directory (EISDIR)\n`,
    );
  });
});

describe("--vcpus 1 for a trace of two", () => {
  test("is refused before the replay where the vCPUs are known", async () => {
    const { status, stdout, stderr } = await gpalias(["replay", BOOT, "--vcpus", "1"]);
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: "",
      stderr: "gpalias: --vcpus must be at least 2, as the trace has events of vCPU 1, got 1\n",
    });
  });

  test("is refused at the event where they are not", async () => {
    expect(await refusal(["replay", BOOT, "--memslots", BOOT_SLOTS, "--vcpus", "1"])).toMatch(
      /ERR_EVENT event \d+: expected a vCPU below 1, got vCPU 1\n$/,
    );
  });
});

describe("-o", () => {
  test("to a full disk is refused by name", async () => {
    const { status, stderr } = await gpalias(["replay", BOOT, "--json", "-o", "/dev/full"]);
    expect(status).toBe(3);
    expect(stderr).toContain("/dev/full: the disk is full (ENOSPC)");
  });

  test("to a folder that is not there is refused before the work", async () => {
    expect(await refusal(["replay", BOOT, "-o", join(folder, "none/out.json")])).toContain("no such file");
  });

  test("leaves no part of a file when the replay fails", async () => {
    const out = join(folder, "half.json");
    await refusal(["replay", file("cut2.br", readFileSync(BOOT).subarray(0, 300_000)), "-o", out]);
    expect(readdirSync(folder).filter((name) => name.startsWith("half"))).toEqual([]);
  });
});
