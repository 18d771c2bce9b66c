// The addon by cmake-js: the second build of the same sources.
import { rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { putEngine } from "./engine-copy.mjs";
import { capture, has, root, Stop } from "./process.mjs";
import { nodeHeaders } from "./setup/addon.mjs";

/** Builds the tree at `source` into `out`; returns the path of the addon. */
export function buildByCmake(source, out) {
  const cmakeJs = join(root, "node_modules/cmake-js/bin/cmake-js");
  const generator = has("ninja") ? ["-G", "Ninja"] : [];
  const nodedir = nodeHeaders();
  // Without it cmake-js downloads Node's headers.
  const env = nodedir ? { ...process.env, npm_config_nodedir: nodedir } : process.env;
  // Make, where there is no Ninja, takes one core unless told.
  const parallel = ["--parallel", String(availableParallelism())];
  const args = [cmakeJs, "compile", "-d", source, "-O", out, ...parallel, ...generator];
  const built = capture(process.execPath, args, { env });
  if (built.code !== 0) throw new Stop(`${built.stdout}${built.stderr}cmake-js: the addon did not build`);
  return join(out, "Release/gpalias.node");
}

/**
 * Builds the sources, with `changes` in place of some of them, by path. The
 * tree and its objects stay, so whoever comes next compiles what differs: half
 * of the files do not see a fault.
 */
export function buildInTree(changes) {
  const [tree, build] = ["tree", "build"].map((name) => join(root, "out/cmake-addon", name));
  // CMake lists the sources when it is configured.
  if (putEngine(tree, changes)) rmSync(join(build, "CMakeCache.txt"), { force: true });
  return buildByCmake(tree, build);
}
