/**
 * The kinds of script there are: every file in `kinds/`.
 *
 * It knows no kind by name.
 */
import { readdir } from "node:fs/promises";
import type { LiveKind } from "./live-kind.js";

const FOLDER = new URL("./kinds/", import.meta.url);

export async function liveKinds(): Promise<readonly LiveKind[]> {
  const files = (await readdir(FOLDER)).filter((file) => /(?<!\.d)\.[jt]s$/.test(file)).sort();
  const modules = await Promise.all(files.map((file) => import(new URL(file, FOLDER).href)));
  return modules.map((module) => (module as { default: LiveKind }).default);
}
