// lib/ compiled to dist/, when a source or the compiler's settings changed.
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, run, Stop, say } from "../process.mjs";
import { hashOf, isCurrent, keep } from "./stamp.mjs";

function distHash() {
  const sources = readdirSync(join(root, "lib"), { recursive: true })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `lib/${name}`);
  const compiler = JSON.parse(readFileSync(join(root, "node_modules/typescript/package.json"), "utf8"));
  return hashOf([...sources, "tsconfig.json"], compiler.version);
}

export function compile() {
  const hash = distHash();
  const dist = join(root, "dist");
  if (isCurrent("dist", hash) && existsSync(join(dist, "index.js"))) return;
  say("setup: compiling lib/ ...");
  // Into a folder of its own, so that dist/ never holds a module whose source is gone.
  const fresh = join(root, "out/dist");
  rmSync(fresh, { recursive: true, force: true });
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const code = run(process.execPath, [tsc, "-p", "tsconfig.json", "--noEmitOnError", "--outDir", fresh]);
  if (code !== 0) throw new Stop(`setup: lib/ did not compile (tsc exit ${code})`);
  // Two renames, so that a command that runs meanwhile hardly ever misses its modules.
  const old = join(root, "out/dist-old");
  rmSync(old, { recursive: true, force: true });
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(fresh, dist);
  const command = join(dist, "cli/main.js");
  if (existsSync(command)) chmodSync(command, 0o755);
  keep("dist", hash);
}
