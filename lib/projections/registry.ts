/**
 * The kinds of projection there are: every file in `kinds/`.
 *
 * It knows no kind by name.
 */
import { readdir } from "node:fs/promises";
import type { ProjectionKind } from "./projection.js";

const FOLDER = new URL("./kinds/", import.meta.url);

let found: Promise<readonly ProjectionKind[]> | undefined;

/** Every kind of projection, by name. */
export function projectionKinds(): Promise<readonly ProjectionKind[]> {
  found ??= readFolder();
  return found;
}

async function readFolder(): Promise<readonly ProjectionKind[]> {
  const files = (await readdir(FOLDER)).filter((file) => /(?<!\.d)\.[jt]s$/.test(file)).sort();
  const modules = await Promise.all(files.map((file) => import(new URL(file, FOLDER).href)));
  return modules.map((module) => (module as { default: ProjectionKind }).default);
}
