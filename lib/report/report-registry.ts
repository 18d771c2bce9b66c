/**
 * The forms of reports for build servers: every file in `formats/`.
 *
 * It knows no form by name.
 */
import { readdir } from "node:fs/promises";
import type { ComparedRun } from "../compare.js";
import { nearest, outOfRange } from "../expect.js";
import type { NativeRule } from "../native/addon-types.js";
import type { ReportFormat } from "./report-format.js";
import { suitesOf } from "./suites.js";

const FOLDER = new URL("./formats/", import.meta.url);

let found: Promise<readonly ReportFormat[]> | undefined;

/** Names of the forms that a report can have. */
export async function reportFormats(): Promise<readonly string[]> {
  found ??= readFolder();
  return (await found).map(({ name }) => name);
}

/**
 * A report on runs for a build server, as text.
 *
 * @param format one of {@link reportFormats}
 * @param rules those that there are, as `rules()` lists them: a case each
 * @param failOn advisories that are to fail their case; violations always do
 * @param allowLossy whether a rule that did not fire in a lossy trace passes; it is skipped otherwise
 * @throws (rejects) RangeError with code `ERR_CONFIG` for a format that does not exist
 * @example await renderReport("junit", (await compare(trace)).runs, rules());
 */
export async function renderReport(
  format: string,
  runs: readonly ComparedRun[],
  rules: readonly NativeRule[],
  failOn: readonly string[] = [],
  allowLossy = false,
): Promise<string> {
  found ??= readFolder();
  const formats = await found;
  const chosen = formats.find(({ name }) => name === format);
  if (chosen !== undefined) return chosen.render(suitesOf(runs, rules, failOn, allowLossy));
  throw unknown(format, await reportFormats());
}

function unknown(format: string, names: readonly string[]): Error {
  const near = nearest(format, names);
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  return outOfRange("format", `one of ${names.join(", ")}${hint}`, format);
}

async function readFolder(): Promise<readonly ReportFormat[]> {
  const files = (await readdir(FOLDER)).filter((file) => /(?<!\.d)\.[jt]s$/.test(file)).sort();
  const modules = await Promise.all(files.map((file) => import(new URL(file, FOLDER).href)));
  return modules.map((module) => (module as { default: ReportFormat }).default);
}
