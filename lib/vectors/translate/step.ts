/**
 * One step of a recorded VM whose vCPU runs on its own tables, and what the
 * kernel answered: their shape.
 */
import { type Check, flag, Malformed, u32, u64 } from "../malformed.js";
import type { VectorRecord } from "../vector-kind.js";

/** id, gpa, size, flags, offset in the process' arena. */
export type SlotRow = readonly [id: number, gpa: string, size: string, flags: number, offset: string];

export interface TranslateStep {
  readonly ring?: string;
  readonly slots?: readonly SlotRow[];
  readonly mem?: readonly (readonly [gpa: string, value: string])[];
  readonly prot?: readonly (readonly [offset: string, size: string, state: "ro" | "none"])[];
  readonly cpuid?: { readonly vendor: string; readonly maxphyaddr: number | null };
  readonly sregs?: {
    readonly cr0: string;
    readonly cr3: string;
    readonly cr4: string;
    readonly efer: string;
  } & {
    readonly csl: 0 | 1;
  };
  readonly rflags?: string;
  readonly gvas: readonly string[];
  readonly exp: StepAnswer;
}

/** By name of the part, as it stands in the file. */
export type StepAnswer = Readonly<Record<string, unknown>>;

const rows = (...columns: readonly Check[]): Check => {
  const isRow: Check = (row) =>
    Array.isArray(row) && row.length === columns.length && columns.every((check, at) => check(row[at]));
  return (value) => Array.isArray(value) && value.every(isRow);
};
const record = (fields: Readonly<Record<string, Check>>): Check => {
  return (value) =>
    typeof value === "object" &&
    value !== null &&
    Object.entries(fields).every(([key, check]) => check((value as Record<string, unknown>)[key]));
};
const width: Check = (value) => value === null || (u32(value) && (value as number) < 256);
const text: Check = (value) => typeof value === "string";

const PARTS: Readonly<Record<string, Check>> = {
  ring: u64,
  slots: rows(u32, u64, u64, u32, u64),
  mem: rows(u64, u64),
  prot: rows(u64, u64, (state) => state === "ro" || state === "none"),
  cpuid: record({ vendor: text, maxphyaddr: width }),
  sregs: record({ cr0: u64, cr3: u64, cr4: u64, efer: u64, csl: flag }),
  rflags: u64,
  gvas: (value) => Array.isArray(value) && value.every(u64),
  exp: record({}),
};

/** @throws Malformed */
export function stepsOf({ steps }: VectorRecord): readonly TranslateStep[] {
  if (!Array.isArray(steps) || steps.length === 0) throw new Malformed('a list "steps" that is not empty');
  for (const [at, step] of steps.entries()) checkStep(step, at);
  return steps;
}

function checkStep(step: unknown, at: number): void {
  if (!record({ gvas: PARTS["gvas"] as Check, exp: PARTS["exp"] as Check })(step))
    throw new Malformed(`"gvas" and "exp" in steps[${at}]`);
  for (const [key, value] of Object.entries(step as object)) {
    const check = Object.hasOwn(PARTS, key) ? PARTS[key] : undefined;
    if (check === undefined) throw new Malformed(`a known part in steps[${at}], got "${key}"`);
    if (!check(value)) throw new Malformed(`the part "${key}" of steps[${at}] as test/vectors describes it`);
  }
  if (at > 0 && (step as TranslateStep).ring !== undefined)
    throw new Malformed('a "ring" in the first step alone');
}
