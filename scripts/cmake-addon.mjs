// The addon by cmake-js: the second build of the same sources.
import { join } from "node:path";
import { capture, has, root, Stop } from "./process.mjs";
import { nodeHeaders } from "./setup/addon.mjs";

/** Builds the tree at `source` into `out`; returns the path of the addon. */
export function buildByCmake(source, out) {
  const cmakeJs = join(root, "node_modules/cmake-js/bin/cmake-js");
  const generator = has("ninja") ? ["-G", "Ninja"] : [];
  const nodedir = nodeHeaders();
  // Without it cmake-js downloads Node's headers.
  const env = nodedir ? { ...process.env, npm_config_nodedir: nodedir } : process.env;
  const built = capture(process.execPath, [cmakeJs, "compile", "-d", source, "-O", out, ...generator], {
    env,
  });
  if (built.code !== 0) throw new Stop(`${built.stdout}${built.stderr}cmake-js: the addon did not build`);
  return join(out, "Release/gpalias.node");
}
