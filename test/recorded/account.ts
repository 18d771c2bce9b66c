// What was understood of a trace, in lines that a person can check against it.
import { readFileSync } from "node:fs";
import { openTrace } from "../../lib/index.js";

const WORDS = ["", "read", "write", "read+write", "fetch"];

/**
 * Lines of the file, rows and their accesses, vCPUs, whose codes, what was
 * lost, and everything passed over by reason.
 */
export async function accountText(path: string): Promise<string> {
  const trace = await openTrace(path);
  const accesses = new Map<string, number>();
  const vcpus = new Set<number>();
  for await (const { count, access, vcpu } of trace.batches({ mayBeEmpty: true })) {
    for (let row = 0; row < count; row++) {
      const word = WORDS[access[row] as number] as string;
      accesses.set(word, (accesses.get(word) ?? 0) + 1);
      vcpus.add(vcpu[row] as number);
    }
  }
  const { records, skipped, lost, backwards, backwardsAt, vendor } = trace.totals;
  const lines = readFileSync(path, "latin1").split("\n").length - 1;
  const counted = (counts: Iterable<readonly [string, number]>) =>
    [...counts].map(([name, count]) => `${count} ${name}`).join(", ");
  const sure = `${Math.round(vendor.confidence * 100)} %`;
  const times = backwards === 1 ? "once" : `${backwards} times`;
  const back = backwards === 0 ? "" : `, time runs backwards ${times}, first before row ${backwardsAt[0]}`;
  const notes = Object.entries(skipped).filter(([reason]) => reason.startsWith("note:"));
  const passed = Object.entries(skipped).filter(([reason]) => !reason.startsWith("note:"));
  const said = [
    `${lines} lines, ${records} rows${records === 0 ? "" : `: ${counted(accesses)}`}`,
    vcpus.size === 0 ? "" : `vCPU ${[...vcpus].sort((a, b) => a - b).join(" ")}`,
    vendor.name === "" ? "no vendor" : `${vendor.name}, ${sure}`,
    `${lost} lost${back}`,
    passed.length === 0 ? "" : `passed over: ${counted(passed)}`,
    ...notes.map(([reason, count]) => `${count} ${reason}`),
  ];
  return said.filter((line) => line !== "").join("\n");
}
