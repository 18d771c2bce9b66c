/**
 * The trials there are: those of the addon, and every file in `trials/`.
 *
 * It knows no trial by name.
 */
import { readdir } from "node:fs/promises";
import { nearest } from "../expect.js";
import { nativeTrials } from "./native-trials.js";
import { type TablesTrial, tablesTrials } from "./tables.js";
import type { Trial } from "./trial.js";

const FOLDER = new URL("./trials/", import.meta.url);

export interface Chosen {
  readonly trials: readonly Trial[];
  readonly tables: readonly TablesTrial[];
}

/** Those that names pick, all of them without names: a trial, or every one of a family. */
export async function trialsCalled(names: readonly string[]): Promise<Chosen> {
  const trials = [...nativeTrials(), ...(await fromFolder())];
  const known = [...trials, ...tablesTrials].map(({ name }) => name);
  for (const name of names) {
    if (!known.some((each) => isPicked(each, name))) throw unknown(name, known);
  }
  const picked = <T extends { name: string }>(all: readonly T[]): T[] =>
    all.filter((each) => names.length === 0 || names.some((name) => isPicked(each.name, name)));
  return { trials: picked(trials), tables: picked(tablesTrials) };
}

const isPicked = (trial: string, name: string): boolean => trial === name || trial.startsWith(`${name}-`);

function unknown(name: string, known: readonly string[]): Error {
  const families = new Set(known.map((each) => each.split("-", 1)[0] as string));
  const near = nearest(name, [...families, ...known]);
  const hint = near === undefined ? `there are ${[...families].join(", ")}` : `did you mean ${near}?`;
  return Object.assign(new RangeError(`no trial is called "${name}"; ${hint}`), { code: "ERR_CONFIG" });
}

async function fromFolder(): Promise<readonly Trial[]> {
  const files = (await readdir(FOLDER)).filter((file) => /(?<!\.d)\.[jt]s$/.test(file)).sort();
  const modules = await Promise.all(files.map((file) => import(new URL(file, FOLDER).href)));
  return modules.flatMap((module) => (module as { default: readonly Trial[] }).default);
}
