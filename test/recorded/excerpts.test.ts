// Excerpts of recordings by many people, and what we understand of each.
//
// The recordings are not ours and not here: they are looked for beside the
// checkout, or where GPALIAS_EXCERPTS says. The table has counts and names of
// events, and no line of any recording.
import { createReadStream, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { openTrace } from "../../lib/index.js";
import { hasAddon } from "../unit/with-addon.js";
import { accountText } from "./account.js";
import { ACCOUNTS } from "./accounts.js";

const BESIDE = fileURLToPath(new URL("../../../shared/traces/excerpts/", import.meta.url));
const FOLDER = process.env["GPALIAS_EXCERPTS"] ?? BESIDE;
const isHere = existsSync(FOLDER);
if (!isHere) console.warn(`SKIPPED: the table of recorded excerpts: there is no ${FOLDER}`);

/** `01`, `04b` */
const idOf = (name: string) => name.slice(0, name.indexOf("-"));
const files = isHere ? readdirSync(FOLDER).filter((name) => name.endsWith(".txt")) : [];

describe.skipIf(!isHere || !hasAddon)("every excerpt", () => {
  test("is in the table, and nothing else is", () => {
    expect(Object.keys(ACCOUNTS).sort()).toEqual(files.map((name) => idOf(name)).sort());
  });

  test.each(files)("%s is understood as the table says", async (name) => {
    const account = ACCOUNTS[idOf(name)];
    expect(await accountText(join(FOLDER, name))).toBe(account?.trim());
  });

  test.each(files)("%s has no line that is neither a row nor counted", async (name) => {
    const { rows, totals } = await rowsAndTotals(await openTrace(join(FOLDER, name)));
    const passed = Object.entries(totals.skipped).filter(([reason]) => !reason.startsWith("note:"));
    const counted = rows.length + passed.reduce((sum, [, count]) => sum + count, 0);
    expect(counted).toBe(readFileSync(join(FOLDER, name), "latin1").split("\n").length - 1);
  });

  test.each(files)("%s gives the same in chunks of 1, 7 and 4096 bytes", async (name) => {
    const path = join(FOLDER, name);
    const whole = await rowsAndTotals(await openTrace(path, { format: "ftrace" }));
    for (const highWaterMark of [1, 7, 4096]) {
      const stream = createReadStream(path, { highWaterMark });
      expect(await rowsAndTotals(await openTrace(stream, { format: "ftrace" }))).toEqual(whole);
    }
  });
});

async function rowsAndTotals(trace: Awaited<ReturnType<typeof openTrace>>) {
  const rows: unknown[] = [];
  for await (const batch of trace.batches({ extra: true, mayBeEmpty: true })) {
    for (let row = 0; row < batch.count; row++) {
      const { gpa, errorCode, vcpu, access, time, ripLow, ripHigh } = batch;
      rows.push([gpa, errorCode, vcpu, access, time, ripLow, ripHigh].map((column) => column?.[row]));
    }
  }
  return { rows, totals: trace.totals };
}
