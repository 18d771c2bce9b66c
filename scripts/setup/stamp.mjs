// Staleness by content: a step is current if the hash of what it reads equals
// the one kept from its last success. Times are no help, git sets them anew.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../process.mjs";

const stampPath = (name) => join(root, "out/stamps", name);

/** Hash of the named files (relative to the repository) and of `extra`. */
export function hashOf(paths, extra = "") {
  const hash = createHash("sha256").update(extra);
  for (const path of [...paths].sort()) hash.update(`\0${path}\0`).update(readFileSync(join(root, path)));
  return hash.digest("hex");
}

export function isCurrent(name, hash) {
  return existsSync(stampPath(name)) && readFileSync(stampPath(name), "utf8") === hash;
}

export function keep(name, hash) {
  mkdirSync(join(root, "out/stamps"), { recursive: true });
  writeFileSync(stampPath(name), hash);
}
