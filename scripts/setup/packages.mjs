// The npm packages, exactly as package-lock.json has them.
import { existsSync, lstatSync, readFileSync, unlinkSync } from "node:fs";
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

// A node_modules that is a link belongs to another checkout, and npm ci would empty it there.
export function unlinkShared(folder) {
  if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink()) unlinkSync(folder);
}

export function installPackages() {
  if (packagesAreCurrent()) return;
  unlinkShared(join(root, "node_modules"));
  say("setup: installing npm packages ...");
  // Development packages too, whatever NODE_ENV says: the compiler is one.
  const code = run("npm", ["ci", "--include=dev", "--no-audit", "--no-fund"]);
  if (code !== 0) throw new Stop(`setup: npm ci failed (exit ${code})`);
}
