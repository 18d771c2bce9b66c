// Builds one target of the CMake build as users get it, and says where it is.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { capture, has, root, Stop } from "../scripts/process.mjs";

const folder = join(root, "out", "native");

function cmake(...args) {
  const { code, stdout, stderr } = capture("cmake", args);
  if (code !== 0) throw new Stop(`${stdout}${stderr}bench: cmake ${args.join(" ")} failed`, 4);
}

export function buildNative(target) {
  if (!has("cmake")) throw new Stop("bench: cmake is not installed (Debian: cmake)", 4);
  // A generator chosen once cannot be changed in the same folder.
  const isNew = !existsSync(join(folder, "CMakeCache.txt"));
  const generator = isNew && has("ninja") ? ["-G", "Ninja"] : [];
  cmake("-S", root, "-B", folder, ...generator, "-DCMAKE_BUILD_TYPE=Release", "-DMMU_SANITIZE=");
  cmake("--build", folder, "--target", target);
  return join(folder, target);
}
