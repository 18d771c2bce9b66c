// The addon, by node-gyp, when there is none that loads or its sources changed.
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { capture, has, root, Stop, say } from "../process.mjs";
import { hashOf, isCurrent, keep } from "./stamp.mjs";

export const addonPath = join(root, "build/Release/gpalias.node");

async function addonHash() {
  const { sources } = await import("../../native/sources.mjs");
  const files = [...sources(), ...sources(undefined, ".hpp"), "native/sources.mjs", "binding.gyp"];
  const headers = JSON.parse(readFileSync(join(root, "node_modules/node-addon-api/package.json"), "utf8"));
  return hashOf(files, `${process.platform} ${process.arch} ${headers.version}`);
}

// Why the addon does not load, or "". In a child, because a broken build may
// take its process with it.
function loadFailure(path) {
  if (!existsSync(path)) return "no such file\n";
  const tried = capture(process.execPath, ["-e", `require(${JSON.stringify(path)})`]);
  return tried.code === 0 ? "" : tried.stderr || `exit ${tried.code}\n`;
}

/**
 * The folder whose include/node holds this Node's own headers, or undefined.
 * With it node-gyp needs no network.
 */
export function nodeHeaders() {
  const besideNode = dirname(dirname(realpathSync(process.execPath)));
  const major = process.versions.node.split(".")[0];
  return [besideNode, "/usr", "/usr/local"].find((prefix) => {
    const header = join(prefix, "include/node/node_version.h");
    return existsSync(header) && readFileSync(header, "utf8").includes(`NODE_MAJOR_VERSION ${major}\n`);
  });
}

export async function buildAddon() {
  const hash = await addonHash();
  if (isCurrent("addon", hash) && loadFailure(addonPath) === "") return;
  if (!has("g++") || !has("make") || !has("python3")) {
    throw new Stop(
      "setup: building the addon needs g++, make and python3. Run:\n" +
        "  apt-get update && apt-get install -y g++ make python3",
      4,
    );
  }
  say("setup: building the addon ...");
  const nodedir = nodeHeaders();
  if (!nodedir) say("setup: Node's headers are not installed beside it; node-gyp must download them");
  // Not "rebuild": that empties build/ first, and make knows what to compile again.
  const gyp = join(root, "node_modules/node-gyp/bin/node-gyp.js");
  const args = [
    gyp,
    "configure",
    "build",
    "--loglevel=error",
    "--jobs=max",
    ...(nodedir ? [`--nodedir=${nodedir}`] : []),
  ];
  const built = capture(process.execPath, args);
  const output = built.stdout + built.stderr;
  if (built.code !== 0)
    throw new Stop(`${output}setup: the addon did not build (node-gyp exit ${built.code})`);
  if (output.includes("warning:")) say(output);
  const failure = loadFailure(addonPath);
  if (failure) throw new Stop(`${failure}setup: the addon was built but does not load`);
  keep("addon", hash);
}
