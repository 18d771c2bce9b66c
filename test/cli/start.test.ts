// What `npm start` shows a newcomer: both comparisons, and in each what is
// wrong with the patch.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../support/source-graph.js";
import { gpalias } from "./run-cli.js";

const FINDINGS = [
  {
    capture: "fs-bounce",
    lines: [
      /^ +v5-as-posted\/tdp +unsafe under alias-stuck \(16,425, from event \d+\)$/m,
      /^ +v5-as-posted\/rmap +unsafe under alias-shared-leaf \(67,402, from event \d+\)$/m,
    ],
  },
  {
    capture: "storm-head",
    lines: [
      /^ +v5-as-posted\/tdp +unsafe under alias-stuck \([\d,]+, from event \d+\)$/m,
      /^ +v5-as-posted\/rmap +unsafe under alias-shared-leaf \([\d,]+, from event \d+\),\s+dirty-lost \([\d,]+, from event \d+\),\s+stale-translation \([\d,]+, from event \d+\)$/m,
      /^ +stolen-bits\/rmap +no violation in 200,000 events$/m,
    ],
  },
];

const commands = execFileSync(process.execPath, [join(root, "scripts/start.mjs"), "--print"], {
  encoding: "utf8",
})
  .trim()
  .split("\n");

test("npm start runs two comparisons", () => {
  expect(commands.length).toBe(FINDINGS.length);
});

test.each(commands.map((command, at) => ({ command, ...FINDINGS[at] })))(
  "gpalias $command",
  async ({ command, capture = "?", lines = [] }) => {
    expect(command).toContain(capture);
    const { status, stdout } = await gpalias(command.split(" "), { env: { COLUMNS: "80" } });
    expect(status).toBe(0);
    for (const line of [...lines, /^ +precise\/rmap +no violation in [\d,]+ events$/m]) {
      expect(stdout).toMatch(line);
    }
  },
);
