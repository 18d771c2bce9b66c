/** The recorders there are: every file in `recorders/`. It knows none by name. */
import { readdir } from "node:fs/promises";
import type { Recorder } from "./recorder.js";

const FOLDER = new URL("./recorders/", import.meta.url);

let found: Promise<readonly Recorder[]> | undefined;

/** Every recorder, by name. */
export function recorders(): Promise<readonly Recorder[]> {
  found ??= readFolder();
  return found;
}

async function readFolder(): Promise<readonly Recorder[]> {
  const files = (await readdir(FOLDER)).filter((file) => /(?<!\.d)\.[jt]s$/.test(file)).sort();
  const modules = await Promise.all(files.map((file) => import(new URL(file, FOLDER).href)));
  return modules.map((module) => (module as { default: Recorder }).default);
}
