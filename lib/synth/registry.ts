/**
 * The workloads there are: every file in `workloads/`.
 *
 * It knows no workload by name.
 */
import { readdir } from "node:fs/promises";
import type { Workload } from "./workload.js";

const FOLDER = new URL("./workloads/", import.meta.url);

let found: Promise<readonly Workload[]> | undefined;

/** Every workload, by name. */
export function workloads(): Promise<readonly Workload[]> {
  found ??= readFolder();
  return found;
}

async function readFolder(): Promise<readonly Workload[]> {
  const files = (await readdir(FOLDER)).filter((file) => /(?<!\.d)\.[jt]s$/.test(file)).sort();
  const modules = await Promise.all(files.map((file) => import(new URL(file, FOLDER).href)));
  return modules.map((module) => (module as { default: Workload }).default);
}
