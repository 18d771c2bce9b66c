// The recorded outcomes: compares with them, or with --accept records anew.
import { join } from "node:path";
import { main, root, run, Stop } from "./process.mjs";

await main(() => {
  const args = process.argv.slice(2);
  const unknown = args.find((arg) => arg !== "--accept");
  if (unknown !== undefined) throw new Stop(`golden: expected nothing or --accept, not ${unknown}`, 2);
  const env = { ...process.env, GPALIAS_GOLDEN: args.length > 0 ? "accept" : "compare" };
  return run(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), "run", "test/golden"], { env });
});
