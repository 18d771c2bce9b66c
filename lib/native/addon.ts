/**
 * Finds and loads the addon, once per environment, at its first use.
 *
 * Importing the library must work without the addon, so that reports can be
 * rendered where it is not built. This file must not know what the addon does.
 */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { layoutMismatch } from "../columns/layout.js";
import type { NativeAddon } from "./addon-types.js";

const require = createRequire(import.meta.url);
const packageRoot = fileURLToPath(new URL("../../", import.meta.url));

let loaded: NativeAddon | undefined;

/**
 * The addon: the file that `GPALIAS_ADDON` names, else the one that
 * node-gyp-build finds in the package.
 *
 * @throws Error with code `ERR_ADDON` that says how to build it if there is
 * none, or if it was built for another layout of the columns.
 */
export function loadAddon(): NativeAddon {
  loaded ??= checked(find());
  return loaded;
}

function find(): NativeAddon {
  const path = process.env["GPALIAS_ADDON"];
  try {
    if (path !== undefined && path !== "") return require(path) as NativeAddon;
    const nodeGypBuild = require("node-gyp-build") as (directory: string) => NativeAddon;
    return nodeGypBuild(packageRoot);
  } catch (cause) {
    throw unusable(`cannot load the native addon${origin(path)}: ${firstLine(cause)}`, cause);
  }
}

function checked(addon: NativeAddon): NativeAddon {
  const problem = layoutMismatch(addon.layout());
  if (problem !== undefined) throw unusable(problem);
  return addon;
}

function unusable(sentence: string, cause?: unknown): Error {
  return Object.assign(new Error(sentence, { cause }), { code: "ERR_ADDON" });
}

function origin(path: string | undefined): string {
  return path ? ` that GPALIAS_ADDON names (${path})` : ` (build it with "npm run build:native")`;
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n", 1)[0] as string;
}
