// A copy of the engine's sources, to be changed and built without harm.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { root } from "./process.mjs";

const PARTS = ["native", "test/native", "CMakeLists.txt", "package.json"];
const MODULES = "node_modules";

/** What a build of the addon or of the native tests needs, at `copy`. */
export function copyEngine(copy) {
  for (const name of PARTS) cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, MODULES), join(copy, MODULES));
}

/** Paths of the files of `parts` below `folder`, as far as they are there. */
function filesOf(folder, parts) {
  const below = (path) =>
    statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => below(join(path, name))) : [path];
  const here = parts.map((part) => join(folder, part)).filter((path) => existsSync(path));
  return here.flatMap(below).map((path) => relative(folder, path));
}

// By content, not by age: a file that is the same keeps its object.
function put(path, text) {
  if (existsSync(path) && readFileSync(path).equals(text)) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/**
 * The same at a place that stays, with `changes` in place of some files or
 * beside them, by path. What is there and the same is not touched.
 *
 * @returns whether there are other source files than before
 */
export function putEngine(tree, changes = new Map()) {
  const before = filesOf(tree, PARTS);
  const texts = new Map(filesOf(root, PARTS).map((path) => [path, readFileSync(join(root, path))]));
  for (const [path, text] of changes) texts.set(path, Buffer.from(text));
  for (const path of before) if (!texts.has(path)) rmSync(join(tree, path));
  for (const [path, text] of texts) put(join(tree, path), text);
  if (!existsSync(join(tree, MODULES))) symlinkSync(join(root, MODULES), join(tree, MODULES));
  const sources = (paths) =>
    paths
      .filter((path) => path.endsWith(".cpp"))
      .sort()
      .join();
  return sources(before) !== sources([...texts.keys()]);
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
