// The npm packages, exactly as package-lock.json has them.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root, run, Stop, say } from "../process.mjs";

// npm writes what it installed beside the packages. A package made for another
// platform is optional and rightly absent there.
export function packagesAreCurrent() {
  const installedPath = join(root, "node_modules/.package-lock.json");
  if (!existsSync(installedPath)) return false;
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const installed = JSON.parse(readFileSync(installedPath, "utf8")).packages;
  return Object.entries(wanted)
    .filter(([path]) => path !== "")
    .every(([path, { version, optional }]) =>
      path in installed ? installed[path].version === version && existsSync(join(root, path)) : optional,
    );
}

export function installPackages() {
  if (packagesAreCurrent()) return;
  say("setup: installing npm packages ...");
  // Development packages too, whatever NODE_ENV says: the compiler is one.
  const code = run("npm", ["ci", "--include=dev", "--no-audit", "--no-fund"]);
  if (code !== 0) throw new Stop(`setup: npm ci failed (exit ${code})`);
}
