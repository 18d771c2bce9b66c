// Makes a fresh clone ready: npm packages, the addon, the compiled TypeScript,
// and with --test the system packages that the tests need.
//
//   node scripts/setup.mjs [--test] [--only packages|addon|dist|tools]
//
// Node built-ins only, because it runs before anything is installed. Quiet when
// there is nothing to do; progress goes to stderr. Exit code 4: something is
// missing that it may not install, and the command that would is printed.
import { parseArgs } from "node:util";
import { main, Stop } from "./process.mjs";
import { buildAddon } from "./setup/addon.mjs";
import { compile } from "./setup/dist.mjs";
import { lockSetup } from "./setup/lock.mjs";
import { installPackages } from "./setup/packages.mjs";
import { installTools } from "./setup/tools.mjs";

const steps = { packages: installPackages, addon: buildAddon, dist: compile, tools: installTools };

await main(async () => {
  const { values } = parseArgs({ options: { test: { type: "boolean" }, only: { type: "string" } } });
  lockSetup();
  if (values.only === undefined) {
    const wanted = values.test ? ["tools", "packages", "addon", "dist"] : ["packages", "addon", "dist"];
    for (const step of wanted) await steps[step]();
  } else {
    const step = steps[values.only];
    if (!step) throw new Stop(`setup: no step "${values.only}", only ${Object.keys(steps).join(", ")}`, 2);
    await step();
  }
});
