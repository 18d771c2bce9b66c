// The schemas of docs/schema/ against what the command really prints: the
// output obeys the schema, and the schema is not so loose that anything would.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeAll, describe, expect, test } from "vitest";
import { BOOT, BOOT_TEXT, gpalias, gpaliasJson } from "../cli/run-cli.js";
import { root } from "../support/source-graph.js";

const names = [
  "replay",
  "compare",
  "strategies",
  "inspect",
  "verify",
  "doctor",
  "explain",
  "check",
  "witness",
  "synth",
  "bench",
] as const;
type Name = (typeof names)[number];

const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
for (const name of names) {
  ajv.addSchema(JSON.parse(readFileSync(join(root, `docs/schema/${name}.schema.json`), "utf8")));
}

const LEAKED = [BOOT, "--run", "v5-as-posted/rmap", "--alias", "xo:46", "--project", "churn:3,1", "--tlb"];

/** What is wrong with a document, as `path: sentence`. */
function faults(name: Name, document: unknown): string[] {
  const validate = ajv.getSchema(`${name}.schema.json`);
  if (validate === undefined) throw new Error(`no schema for ${name}`);
  validate(document);
  return (validate.errors ?? []).map((error) => `${error.instancePath}: ${error.message}`);
}

// biome-ignore lint/suspicious/noExplicitAny: documents are damaged on purpose below
const documents = {} as Record<Name, any>;
beforeAll(async () => {
  documents.replay = await gpaliasJson(["replay", BOOT]);
  documents.compare = await gpaliasJson(["compare", BOOT, "--alias", "tdx47", "--tlb"]);
  documents.strategies = await gpaliasJson(["strategies"]);
  documents.inspect = await gpaliasJson(["inspect", BOOT]);
  documents.verify = await gpaliasJson(["verify", "vectors", "test/unit/vectors/sample.jsonl"]);
  documents.doctor = await gpaliasJson(["doctor"]);
  documents.explain = await gpaliasJson(["explain"]);
  documents.witness = await gpaliasJson(["witness", ...LEAKED, "--rule", "alias-shared-leaf"]);
  documents.synth = await gpaliasJson(["synth", "--list"]);
  documents.bench = await gpaliasJson(["bench", "decode-binary", "tables-dense", "--pairs", "1"]);
  documents.check = await gpaliasJson(["check", "precise/tdp", "--ops", "2"]);
});

describe("what the command prints obeys its schema", () => {
  test.each(names)("%s", (name) => {
    expect(faults(name, documents[name])).toEqual([]);
  });

  test.each([
    ["replay", [BOOT, "--dirty-log", "on", "--backing", "2M", "--no-hash"]],
    ["replay", [BOOT_TEXT, "--address-bits", "52", "--vcpus", "8"]],
    [
      "replay",
      [BOOT, "--alias", "bits:47", "--strategy", "v5-as-posted", "--project", "churn:3,1", "--tlb", "64,4"],
    ],
    [
      "replay",
      [BOOT, "--alias", "tdx51", "--strategy", "mirror", "--external-tables", "busy:3", "--convert-on-exit"],
    ],
    [
      "compare",
      [BOOT_TEXT, "--alias", "xo:46", "--flush-provider", "fail:3", "--internal-slots", "--no-hash"],
    ],
    ["inspect", [BOOT_TEXT, "--no-hash"]],
    ["bench", ["--list"]],
    ["bench", ["hits-plain", "--memory", "1M"]],
    ["explain", ["alias-stuck"]],
    ["explain", ["B14"]],
    ["witness", [BOOT, "--run", "v5-as-posted/tdp", "--alias", "tdx51"]],
  ] as const)("%s %j", async (name, args) => {
    expect(faults(name, await gpaliasJson([name, ...args]))).toEqual([]);
  });
});

describe("a damaged document does not", () => {
  type Damage = readonly [Name, string, (document: Record<string, never>) => void];
  const damages: readonly Damage[] = [
    ["replay", "without its outcomes", (d) => delete d["outcomes"]],
    [
      "replay",
      "with an outcome that does not exist",
      (d) => Object.assign(d["outcomes"] ?? {}, { missed: 1 }),
    ],
    ["replay", "with a negative count", (d) => Object.assign(d["stats"] ?? {}, { pf_taken: -1 })],
    ["replay", "with a field that nobody described", (d) => Object.assign(d, { extra: 1 })],
    ["replay", "with an upper-case address", (d) => Object.assign(d["leaves"] ?? {}, { "0xABC": {} })],
    ["replay", "whose TLB is on without a size", (d) => Object.assign(d["config"] ?? {}, { tlb: true })],
    [
      "replay",
      "with a violation without a count",
      (d) =>
        Object.assign(d, { violations: [{ rule: "alias-stuck", defect: "", firstEvent: 0, gpa: "0x0" }] }),
    ],
    ["compare", "without a run", (d) => Object.assign(d, { runs: [] })],
    [
      "compare",
      "whose run has no result and no reason",
      (d) => Object.assign(d, { runs: [{ run: "none/tdp" }] }),
    ],
    [
      "compare",
      "whose run has a result and a reason",
      (d) => Object.assign(d["runs"]?.[0] ?? {}, { notApplicable: "so" }),
    ],
    [
      "strategies",
      "with a flavour that does not exist",
      (d) => Object.assign(d["strategies"]?.[0] ?? {}, { flavours: ["ept"] }),
    ],
    ["inspect", "whose range has no pages", (d) => Object.assign(d["ranges"]?.[0] ?? {}, { pages: 0 })],
    [
      "verify",
      "with a failure that names no line",
      (d) => Object.assign(d, { firstFailures: [{ id: "a" }] }),
    ],
    ["verify", "without its skipped vectors", (d) => delete d["skipped"]],
    ["explain", "with a rule without a source", (d) => Object.assign(d["rules"]?.[0] ?? {}, { source: "" })],
    [
      "explain",
      "with a rule of a kind that does not exist",
      (d) => Object.assign(d["rules"]?.[0] ?? {}, { kind: "hint" }),
    ],
    [
      "synth",
      "with a workload that resembles nothing",
      (d) => Object.assign(d["workloads"]?.[0] ?? {}, { resembles: "" }),
    ],
    ["bench", "whose trial has no other side", (d) => delete d["trials"]?.[0]?.["floorNsPerEvent"]],
    ["bench", "that took no time", (d) => Object.assign(d["trials"]?.[0] ?? {}, { nsPerEvent: 0 })],
    ["bench", "that is of no machine", (d) => delete d["machine"]],
    ["witness", "that is of no rule", (d) => delete d["rule"]],
    ["witness", "without a step", (d) => Object.assign(d, { steps: [] })],
    ["witness", "that was not found", (d) => Object.assign(d, { found: false })],
    ["witness", "with rights that do not exist", (d) => Object.assign(lastEntry(d), { rights: "rwx" })],
    [
      "doctor",
      "whose failure has no advice",
      (d) => Object.assign(d["findings"]?.[0] ?? {}, { status: "failure" }),
    ],
  ];

  test.each(damages)("%s %s", (name, _, damage) => {
    const document = structuredClone(documents[name]);
    damage(document);
    expect(faults(name, document)).not.toEqual([]);
  });
});

// biome-ignore lint/suspicious/noExplicitAny: to be damaged
function lastEntry(document: any): object {
  return document.pages[0].ways[0].entries.at(-1);
}

test("nothing found is a document too, and ends with 1", async () => {
  const { status, stdout } = await gpalias(["witness", BOOT, "--json"]);
  expect([status, faults("witness", JSON.parse(stdout))]).toEqual([1, []]);
});

test("accesses, events and outcomes add up", () => {
  const { input, outcomes } = documents.replay;
  const sum = (counts: Record<string, number>) =>
    Object.values(counts).reduce((total, count) => total + count, 0);
  expect(sum(outcomes)).toBe(input.accesses);
  expect(sum(input.byKind)).toBe(input.events);
});
