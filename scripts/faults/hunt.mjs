// One process, one fault: small worlds of every strategy that has no defect of
// its own, until a rule fires. Prints what fired first, or null, as JSON.
//
//   GPALIAS_ADDON=... GPALIAS_FAULT=7 node scripts/faults/hunt.mjs
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../process.mjs";

const MOST_OPERATIONS = 4;

const { check, strategies } = await import(pathToFileURL(join(root, "dist/index.js")).href);

const runs = strategies()
  .filter(({ defects }) => defects.length === 0)
  .flatMap(({ name, flavours }) => flavours.map((mmu) => ({ strategy: name, mmu })));

async function hunt() {
  for (let operations = 1; operations <= MOST_OPERATIONS; operations++)
    for (const run of runs) {
      const { violations } = await check({ ...run, operations, auditsAll: true, threads: 1 });
      const first = violations[0];
      if (first === undefined) continue;
      const { rule, reason, world, witness } = first;
      const story = witness.operations.map(({ says }) => says);
      return { rule, reason, run: `${run.strategy}/${run.mmu}`, world, story };
    }
  return null;
}

process.stdout.write(`${JSON.stringify(await hunt())}\n`);
