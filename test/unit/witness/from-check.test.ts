/** Witnesses of small worlds told as those of traces: every defect that `check` finds has a short one, and a test of it. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { check, checkWitness, renderWitness, strategies, witnessTest } from "../../../lib/index.js";
import { isLongRun } from "../../support/random.js";
import { root } from "../../support/source-graph.js";
import { aFolder } from "../trace/records.js";

const MINUTES = 60_000;
const MOST_STEPS = 8;
const file = aFolder();

/** Between them they have every known defect but D1a. */
const ALWAYS = ["v5-as-posted/rmap", "stolen-bits-tdx/rmap"];

const defective = strategies().flatMap(({ name, defects, flavours }) =>
  flavours
    .filter((mmu) => defects.some((defect) => defect.flavours.includes(mmu)))
    .map((mmu) => ({ strategy: name, mmu, run: `${name}/${mmu}` })),
);

test.each(defective.filter(({ run }) => isLongRun || ALWAYS.includes(run)))(
  "$run: each violation is shown in a few steps, and by a test that passes",
  { timeout: 5 * MINUTES },
  async ({ strategy, mmu }) => {
    const { violations, advisories } = await check({ strategy, mmu, operations: 3, threads: 1 });
    const reports = [...violations, ...advisories].map(checkWitness);
    expect(reports.length).toBeGreaterThan(0);
    for (const report of reports) {
      expect(report.steps.length).toBeLessThanOrEqual(MOST_STEPS);
      expect(report.pages.length).toBeGreaterThan(0);
      expect(await renderWitness(report)).toContain(`${strategy}/${mmu}`);
    }
    const paths = reports.map((report) =>
      file(`${strategy}-${mmu}-${report.rule.id}.test.ts`, witnessTest(report)),
    );
    expect(await passed(paths)).toBe(reports.length);
  },
);

/** How many of these files vitest passes. */
async function passed(paths: readonly string[]): Promise<number> {
  const folder = join(paths[0] as string, "..");
  const alias = { gpalias: join(root, "lib/index.ts") };
  const config = { root: folder, resolve: { alias }, test: { include: paths } };
  const written = file("vitest.config.mjs", `export default ${JSON.stringify(config)}`);
  const main = join(root, "node_modules/vitest/vitest.mjs");
  const run = promisify(execFile)(process.execPath, [main, "run", "--config", written], { cwd: root });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  return Number(/Tests.*?(\d+) passed/.exec(stripVTControlCharacters(stdout))?.[1]);
}
