// A copy of the engine's sources, to be changed and built without harm.
import { cpSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { root } from "./process.mjs";

/** What a build of the addon or of the native tests needs, at `copy`. */
export function copyEngine(copy) {
  for (const name of ["native", "test/native", "CMakeLists.txt", "package.json"])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
}

/**
 * The text with `find` replaced. The place must be there, and only once.
 * @throws Error that names the change and the file
 */
export function changedOnce(text, { name, file, find }, replacement) {
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Error(`"${name}" needs this once in ${file}, found ${places}: ${find}`);
  return text.replace(find, () => replacement);
}
