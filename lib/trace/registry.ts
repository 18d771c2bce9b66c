/**
 * The trace formats there are: every file in `formats/`, and what users add.
 *
 * It knows no format by name.
 */
import { readdir } from "node:fs/promises";
import { wrongType } from "../expect.js";
import type { TraceFormat } from "./trace-format.js";

const FOLDER = new URL("./formats/", import.meta.url);

let builtIn: Promise<readonly TraceFormat[]> | undefined;
const added: TraceFormat[] = [];

/** Every format, users' own first, built-in ones by name. */
export async function traceFormats(): Promise<readonly TraceFormat[]> {
  builtIn ??= readFolder();
  return [...added, ...(await builtIn)];
}

/** Adds a format for this process; it is asked before the built-in ones. */
export function registerTraceFormat(format: TraceFormat): void {
  if (added.some(({ name }) => name === format.name)) {
    throw wrongType("format name", "one that is not registered yet", format.name);
  }
  added.push(format);
}

async function readFolder(): Promise<readonly TraceFormat[]> {
  const files = (await readdir(FOLDER)).filter((file) => /(?<!\.d)\.[jt]s$/.test(file)).sort();
  const modules = await Promise.all(files.map((file) => import(new URL(file, FOLDER).href)));
  return modules.map((module) => (module as { default: TraceFormat }).default);
}
