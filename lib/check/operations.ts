/**
 * Finds the kinds of operations: every module in `operations/`, in
 * alphabetical order. A new kind is a new file there and nothing else.
 */
import { readdir } from "node:fs/promises";
import type { OperationKind } from "./world.js";

const FOLDER = new URL("operations/", import.meta.url);

export async function loadOperationKinds(): Promise<OperationKind[]> {
  const files = (await readdir(FOLDER)).filter((file) => /(?<!\.d)\.[jt]s$/.test(file)).sort();
  const modules: { default: OperationKind }[] = await Promise.all(
    files.map((file) => import(new URL(file, FOLDER).href)),
  );
  return modules.map((module) => module.default);
}
