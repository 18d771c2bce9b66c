// The main job, on traces that the repository carries: each under every alias
// strategy. What comes out is what README.md shows.
//
//   node scripts/start.mjs          both comparisons
//   node scripts/start.mjs --print  their command lines, one a line
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { main, root } from "./process.mjs";

const comparisons = [
  // A TDX guest that shares its bounce buffer, as this one would have had to.
  "compare examples/fs-bounce-pc-2c-4g.faults.bin.br --alias tdx47 --project bounce",
  // Two views of each page in turn, with a TLB that can go stale and a hypervisor that flushes ranges.
  "compare examples/storm-head-q35-2c-1g.faults.bin.br --alias bits:47 --project churn:3,1 --flush-provider hyperv --tlb",
];

function show(line) {
  process.stdout.write(`$ gpalias ${line}\n`);
  const args = [join(root, "dist/cli/main.js"), ...line.split(" ")];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  process.stdout.write("\n");
  return status ?? 1;
}

await main(() => {
  const { values } = parseArgs({ options: { print: { type: "boolean" } } });
  if (values.print) {
    process.stdout.write(`${comparisons.join("\n")}\n`);
    return 0;
  }
  for (const line of comparisons) {
    const status = show(line);
    if (status !== 0) return status;
  }
  return 0;
});
