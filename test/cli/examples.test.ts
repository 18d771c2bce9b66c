// The examples run as they are shown, against the package as it is installed;
// so does every piece of code in the README.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../support/source-graph.js";

// Inside the package, so that "gpalias" is the package itself.
const folder = join(root, "out/examples");
beforeAll(() => mkdirSync(folder, { recursive: true }));
afterAll(() => rmSync(folder, { recursive: true }));

const source = (path: string): string => readFileSync(join(root, path), "utf8");

function run(name: string, code: string, ...args: string[]): string {
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, ts.transpileModule(code, { compilerOptions: options }).outputText);
  return execFileSync(process.execPath, [file, ...args], { cwd: root, encoding: "utf8" });
}

describe("examples", () => {
  test("first-vm.ts shows a fault, a hit, MMIO, a dirty page and a path", () => {
    const text = run("first-vm", source("examples/first-vm.ts"));
    expect(text).toMatch(/first write: .*fixed.*2M/s);
    expect(text).toMatch(/then a read: .*hit/s);
    expect(text).toContain("the local APIC: emulate");
    expect(text).toContain("dirty:        0x201000");
    expect(text).toMatch(/level 1 at 0x201000: 0x[0-9a-f]{16} \(leaf\)/);
  });

  test("replay-a-trace.ts says what 2M pages save", () => {
    const boot = join(root, "examples/boot-q35-2c-1g.faults.bin.br");
    const text = run("replay-a-trace", source("examples/replay-a-trace.ts"), boot);
    expect(text).toContain("4K pages: 71,387 faults fixed");
    const [four, two] = [...text.matchAll(/pages: ([\d,]+) faults/g)].map((match) =>
      Number(match[1]?.replaceAll(",", "")),
    );
    expect(two).toBeLessThan((four ?? 0) / 10);
  });

  test("own-format.ts replays its own format, and docs/trace-formats.md shows it word for word", () => {
    const code = source("examples/own-format.ts");
    expect(run("own-format", code)).toBe("lines { hit: 1, fixed: 1, emulate: 1 }\n");
    expect(source("docs/trace-formats.md")).toContain(`\`\`\`ts\n${code}\`\`\``);
  });
});

describe("README.md", () => {
  const readme = source("README.md");

  test("its library example runs and prints what its comments say", () => {
    const code = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    const said = [...code.matchAll(/console\.log\(.*\/\/ (.*)$/gm)].map((match) => match[1]);
    expect(said.length).toBeGreaterThan(0);
    expect(run("readme", code).trimEnd().split("\n")).toEqual(said);
  });

  test("the comparison that it shows is what the command prints", () => {
    const [, line = "", shown = ""] = /\$ npm start\n\$ gpalias (.*)\n([\s\S]*?)```/.exec(readme) ?? [];
    const printed = execFileSync(process.execPath, [join(root, "dist/cli/main.js"), ...line.split(" ")], {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, COLUMNS: "80" },
    });
    expect(shown.trim()).toBe(printed.trim());
  });

  test("its comparison is the first that npm start makes", () => {
    const [first] = execFileSync(process.execPath, [join(root, "scripts/start.mjs"), "--print"], {
      encoding: "utf8",
    }).split("\n");
    expect(readme).toContain(`$ npm start\n$ gpalias ${first}\n`);
  });
});
