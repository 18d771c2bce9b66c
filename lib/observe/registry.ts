/**
 * The checks there are: every file in `checks/`.
 *
 * It knows no check by name.
 */
import { readdir } from "node:fs/promises";
import type { Check } from "./check.js";

const FOLDER = new URL("./checks/", import.meta.url);

/** Every check, by id. */
export async function observedChecks(): Promise<readonly Check[]> {
  const files = (await readdir(FOLDER)).filter((file) => /(?<!\.d)\.[jt]s$/.test(file)).sort();
  const modules = await Promise.all(files.map((file) => import(new URL(file, FOLDER).href)));
  return modules.map((module) => (module as { default: Check }).default);
}
