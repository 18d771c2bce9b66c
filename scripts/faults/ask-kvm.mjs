// One process, one wrong rule: random scripts, played to the engine and to this
// machine's KVM. Prints the first difference, made small, or null, or why
// nothing could be asked, as JSON.
//
//   GPALIAS_ADDON=... GPALIAS_FAULT=91 node scripts/faults/ask-kvm.mjs
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../process.mjs";

const CASES = 2000;
const SEED = 1;

const { verifyKvm } = await import(pathToFileURL(join(root, "dist/index.js")).href);

async function ask() {
  const { difference, cases, kernel } = await verifyKvm({ seed: SEED, cases: CASES });
  if (difference === null) return cases === 0 ? { skipped: kernel.because } : null;
  const { kind, op, shrink } = difference;
  return { kind, op, from: shrink.from, to: shrink.to };
}

const found = await ask().catch((error) => {
  if (error.code !== "ERR_UNSUPPORTED") throw error;
  return { skipped: error.message };
});
process.stdout.write(`${JSON.stringify(found)}\n`);
