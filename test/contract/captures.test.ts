// The captures in examples/ are what the files beside them say, and the script
// that cut one of them would cut it again.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { root } from "../support/source-graph.js";
import { thrownBy } from "../unit/thrown.js";

const examples = join(root, "examples");
const SUFFIX = ".faults.bin.br";
const names = readdirSync(examples)
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => file.slice(0, -SUFFIX.length));

// Untyped: the scripts are JavaScript, outside the compiled program.
const { countsOf } = (await import(new URL("../../scripts/capture-counts.mjs", import.meta.url).href)) as {
  countsOf(raw: Buffer): Record<string, unknown>;
};

const jsonOf = (path: string) => JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
const rawOf = (path: string) => brotliDecompressSync(readFileSync(path));
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

const folder = mkdtempSync(join(tmpdir(), "gpalias-captures-"));
afterAll(() => rmSync(folder, { recursive: true }));

function cut(capture: string, records: string, name: string): void {
  const script = join(root, "scripts/cut-capture.mjs");
  execFileSync(process.execPath, [script, capture, records, join(folder, name)], { stdio: "pipe" });
}

test.each(names)("%s holds the records that its .json counts", (name) => {
  const json = jsonOf(join(examples, `${name}.json`));
  const file = join(examples, `${name}${SUFFIX}`);
  const raw = rawOf(file);
  expect(json).toMatchObject(countsOf(raw));
  expect(json).toMatchObject({
    name,
    file: `${name}${SUFFIX}`,
    sha256_raw: sha256(raw),
    bytes_raw: raw.length,
    bytes_br: readFileSync(file).length,
  });
});

describe("cut-capture", () => {
  const boot = join(examples, `boot-q35-2c-1g${SUFFIX}`);

  test("keeps the front, its machine and its counts, and nothing that speaks of the whole", () => {
    cut(boot, "1000", "front");
    const raw = rawOf(join(folder, `front${SUFFIX}`));
    expect(raw).toEqual(rawOf(boot).subarray(0, 32_000));
    const [front, whole] = [
      jsonOf(join(folder, "front.json")),
      jsonOf(join(examples, "boot-q35-2c-1g.json")),
    ];
    expect(front).toMatchObject({ ...countsOf(raw), memslots: whole["memslots"], swiotlb: [] });
    expect(front["cut_from"]).toMatchObject({ records: 139_387, sha256_raw: whole["sha256_raw"] });
    for (const key of ["plugin_summary", "phases", "text_lines"]) expect(front).not.toHaveProperty(key);
  });

  test.each([
    [[boot, "139388", "x"], "has only 139387 records"],
    [[boot, "0", "x"], "expected CAPTURE.faults.bin.br"],
    [["boot.json", "5", "x"], "expected CAPTURE.faults.bin.br"],
  ])("refuses %j", ([capture, records, name], sentence) => {
    const error = thrownBy(() => cut(capture as string, records as string, name as string));
    expect(String(error["stderr"])).toContain(sentence);
  });
});
