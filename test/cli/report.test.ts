// --report of compare and replay: what build servers get, and what happens to a file that cannot be written.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { elements, parseXml } from "../support/xml.js";
import { BOOT, gpalias, gpaliasJson } from "./run-cli.js";

const folder = mkdtempSync(join(tmpdir(), "gpalias-report-"));
const path = (name: string) => join(folder, name);
const read = (name: string) => readFileSync(path(name), "utf8");
afterAll(() => rmSync(folder, { recursive: true }));

const ALIASED = [BOOT, "--alias", "bits:47", "--project", "churn:3,1", "--no-hash"];

describe("compare --report", () => {
  let rules: { id: string }[];
  beforeAll(async () => {
    const args = ["--report", `junit=${path("a.xml")}`, "--report", `ktap=${path("a.ktap")}`];
    const { status, stdout } = await gpalias(["compare", ...ALIASED, "--tlb", ...args, "-q"]);
    expect(status).toBe(0);
    expect(stdout).toContain("What went wrong");
    ({ rules } = await gpaliasJson(["explain"]));
  });

  test("writes both forms beside the result, with a case for each rule of each run", async () => {
    const suites = elements(parseXml(read("a.xml")), "testsuite");
    expect(suites.length).toBeGreaterThan(12);
    for (const suite of suites) {
      expect(elements(suite, "testcase").map(({ attributes }) => attributes["name"])).toEqual(
        rules.map(({ id }) => id),
      );
    }
    expect(read("a.ktap").split("\n").slice(0, 2)).toEqual(["KTAP version 1", `1..${suites.length}`]);
  });

  test("both say the same of every case", () => {
    const suites = elements(parseXml(read("a.xml")), "testsuite");
    const words = suites.flatMap((suite) => [
      ...elements(suite, "testcase").map(({ attributes, children }) => {
        const inside = children[0]?.name;
        const verdict = inside === "failure" ? "not ok" : inside === "skipped" ? "skip" : "ok";
        return `${verdict} ${attributes["name"]}`;
      }),
    ]);
    const lines = [...read("a.ktap").matchAll(/^ {2}((?:not )?ok) \d+ (\S+)( # SKIP)?/gm)];
    expect(lines.map(([, verdict, name, skip]) => `${skip ? "skip" : verdict} ${name}`)).toEqual(words);
    expect(words).toContain("not ok alias-stuck");
    expect(words).toContain("skip huge-mixed-memtype");
    expect(words).toContain("ok stale-translation");
  });

  test("a violation has its count, event, gpa and reason there, as in the JSON", async () => {
    const { runs } = await gpaliasJson(["compare", ...ALIASED, "--tlb"]);
    const found = runs.find(({ run }: { run: string }) => run === "v5-as-posted/tdp").violations[0];
    const failure = elements(parseXml(read("a.xml")), "testcase").find(
      ({ attributes }) =>
        attributes["classname"] === "v5-as-posted/tdp" && attributes["name"] === "alias-stuck",
    )?.children[0];
    const count = found.count.toLocaleString("en-US");
    expect(failure?.attributes["message"]).toBe(
      `${count} times, first at event ${found.firstEvent}, gpa ${found.gpa}`,
    );
    expect(failure?.text).toBe(`${found.reason} (known defect ${found.defect})`);
  });
});

test("replay --report has one suite, and the status is that of --fail-on", async () => {
  const args = ["--strategy", "v5-as-posted", "--report", `junit=${path("b.xml")}`, "--fail-on", "any"];
  expect((await gpalias(["replay", ...ALIASED, ...args])).status).toBe(1);
  const suites = elements(parseXml(read("b.xml")), "testsuite");
  expect(suites.map(({ attributes }) => attributes["name"])).toEqual(["v5-as-posted/tdp"]);
  expect(suites[0]?.attributes["failures"]).toBe("1");
});

describe("a report that cannot be written", () => {
  test.each([
    ["in a folder that is not there", join(folder, "no/such/r.xml"), "no such file or directory (ENOENT)"],
    ["to a full disk", "/dev/full", "the disk is full (ENOSPC)"],
    ["over a folder", folder, "it is a directory (EISDIR)"],
  ])("%s exits 3, names the file, and prints no result", async (_, file, trouble) => {
    const { status, stdout, stderr } = await gpalias(["replay", BOOT, "--report", `junit=${file}`, "-q"]);
    expect([status, stdout, stderr]).toEqual([3, "", `gpalias: ${file}: ${trouble}\n`]);
  });

  test("leaves nothing behind, neither of itself nor of the others", async () => {
    const before = readdirSync(folder);
    const args = ["--report", `ktap=${path("c.ktap")}`, "--report", "junit=/dev/full", "-o", path("c.txt")];
    expect((await gpalias(["replay", BOOT, ...args, "-q"])).status).toBe(3);
    expect(readdirSync(folder)).toEqual(before);
  });
});

describe("a report that makes no sense exits 2", () => {
  test.each([
    [["--report", "junit"], "expected a form and a file, as in junit=FILE"],
    [["--report", "junit="], "expected a form and a file, as in junit=FILE"],
    [["--report", "junit=-"], "expected a form and a file, as in junit=FILE"],
    [["--report", "tap=x"], '--report must be junit=FILE or ktap=FILE, got "tap=x"'],
    [["--report", "junit=x.xml", "--report", "ktap=x.xml"], 'two outputs name the same file, "x.xml"'],
    [["--report", "junit=x.xml", "-o", "x.xml"], 'two outputs name the same file, "x.xml"'],
  ])("%j: %s", async (args, sentence) => {
    const { status, stdout, stderr } = await gpalias(["replay", BOOT, ...args]);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(sentence);
  });
});
