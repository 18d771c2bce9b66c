// What is found in each of the recordings: nothing, but for the storm that one
// of them was sent to a mailing list for.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { verifyTrace } from "../../lib/index.js";
import { hasAddon } from "../unit/with-addon.js";

const BESIDE = fileURLToPath(new URL("../../../shared/traces/excerpts/", import.meta.url));
const FOLDER = process.env["GPALIAS_EXCERPTS"] ?? BESIDE;
const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => /^\d.*\.txt$/.test(name)) : [];
if (files.length === 0) console.warn(`SKIPPED: what is found in recordings: there are none in ${FOLDER}`);

/** By file: events that were read, what was found, and why the model stopped. */
const TABLE: Readonly<Record<string, string>> = {
  "01": "103 events, nothing, followed to its end",
  "02": "7 events, nothing, no kvm_tdp_mmu_spte_changed",
  "03": "4 events, nothing, no kvm_tdp_mmu_spte_changed",
  "04": "13 events, spurious-fault in line 12, no kvm_tdp_mmu_spte_changed",
  "04b": "0 events, nothing, no kvm_page_fault",
  "05": "21 events, nothing, no kvm_tdp_mmu_spte_changed",
  "06": "11 events, nothing, no kvm_tdp_mmu_spte_changed",
  "07": "23 events, nothing, no kvm_tdp_mmu_spte_changed",
  "08": "11 events, nothing, begins in the middle",
  "09": "16 events, nothing, no kvm_page_fault",
  "10": "10 events, nothing, no kvm_page_fault",
  "11": "8 events, nothing, no kvm_tdp_mmu_spte_changed",
  "12": "5 events, nothing, no kvm_tdp_mmu_spte_changed",
  "13": "6 events, nothing, no kvm_tdp_mmu_spte_changed",
  "14": "5 events, nothing, no kvm_page_fault",
  "15": "6 events, nothing, no kvm_tdp_mmu_spte_changed",
  "16": "5 events, nothing, no kvm_page_fault",
};

async function rowOf(name: string): Promise<string> {
  const { events, findings, model, noModel, malformed } = await verifyTrace(join(FOLDER, name));
  expect(malformed).toEqual({});
  const count = Object.values(events).reduce((sum, each) => sum + each, 0);
  const found = findings
    .filter(({ severity }) => severity !== "note")
    .map(({ check, line }) => `${check} in line ${line}`);
  const why = noModel ?? model?.stopped?.why ?? "followed to its end";
  const [short] = /no kvm_\w+|begins in the middle|followed to its end/.exec(why) ?? [why];
  return `${count} events, ${found.join(", ") || "nothing"}, ${short}`;
}

describe.skipIf(files.length === 0 || !hasAddon)("the recordings", () => {
  test("hold together, one apart", async () => {
    const rows = await Promise.all(
      files.map(async (name) => [name.slice(0, name.indexOf("-")), await rowOf(name)] as const),
    );
    expect(Object.fromEntries(rows)).toEqual(TABLE);
  });
});
