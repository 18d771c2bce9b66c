/**
 * The kinds of vector there are: every file in `kinds/`.
 *
 * It knows no kind by name.
 */
import { readdir } from "node:fs/promises";
import type { VectorKind } from "./vector-kind.js";

const FOLDER = new URL("./kinds/", import.meta.url);

let found: Promise<readonly VectorKind[]> | undefined;

/** Every kind, by name of its file. */
export function vectorKinds(): Promise<readonly VectorKind[]> {
  found ??= readFolder();
  return found;
}

async function readFolder(): Promise<readonly VectorKind[]> {
  const files = (await readdir(FOLDER)).filter((file) => /(?<!\.d)\.[jt]s$/.test(file)).sort();
  const modules = await Promise.all(files.map((file) => import(new URL(file, FOLDER).href)));
  return modules.map((module) => (module as { default: VectorKind }).default);
}
