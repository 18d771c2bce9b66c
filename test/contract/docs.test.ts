// What the documents point at exists, and what they list is what there is.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { LAYOUT } from "../../lib/columns/layout.js";
import { EVENT_KINDS, OUTCOMES } from "../../lib/index.js";
import { root } from "../support/source-graph.js";

const documents = [
  "README.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => join("docs", path)),
];
const read = (path: string): string => readFileSync(join(root, path), "utf8");

describe("documents", () => {
  test.each(documents)("every link of %s leads to a file of the tree", (path) => {
    const links = [...read(path).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)].map(
      (match) => match[1] ?? "",
    );
    expect(links.filter((link) => !existsSync(join(root, dirname(path), link)))).toEqual([]);
  });

  test("README.md names the two commands", () => {
    for (const command of ["npm start", "npm test"]) expect(read("README.md")).toContain(command);
  });

  test("docs/columns.md has every column with its type, every kind and every outcome", () => {
    const text = read("docs/columns.md");
    for (const { name, type } of [...LAYOUT.event, ...LAYOUT.extra, ...LAYOUT.outcome]) {
      expect(text).toMatch(new RegExp(`\\| .*\`${name}\`.* \\| ${type} \\|`));
    }
    for (const kind of EVENT_KINDS) expect(text).toContain(`| \`${kind}\` |`);
    for (const outcome of OUTCOMES) expect(text).toContain(`\`${outcome}\``);
    expect(text).toContain(`| ${LAYOUT.version} |`);
  });

  test("docs/trace-formats.md lists the formats that are in the folder", () => {
    const files = readdirSync(join(root, "lib/trace/formats")).map((file) => file.replace(".ts", ""));
    const listed = [...read("docs/trace-formats.md").matchAll(/^\| `([a-z-]+)` \|/gm)].map(
      (match) => match[1],
    );
    expect(listed.sort()).toEqual(files.sort());
  });

  test("docs/cli.md lists the commands that are in the folder, and every exit status", () => {
    const files = readdirSync(join(root, "lib/cli/commands")).map((file) => file.replace(".ts", ""));
    const text = read("docs/cli.md");
    for (const name of files) expect(text).toMatch(new RegExp(`^gpalias ${name}\\b`, "m"));
    for (const status of ["0", "2", "3", "4", "70", "130, 143"]) expect(text).toContain(`| ${status} |`);
  });
});
