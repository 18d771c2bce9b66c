/**
 * What is simpler than a script of a guest's tables: steps, parts, rows and
 * addresses left out, steps made one, and numbers with a bit less.
 */
import type { AskedStep } from "./ask.js";

type Steps = readonly AskedStep[];

export function* simplerSteps(steps: Steps): Generator<Steps> {
  // The last one first: what comes after the difference goes at once.
  for (let at = steps.length - 1; at >= 0; at--) if (steps.length > 1) yield without(steps, at);
  for (let at = 1; at < steps.length; at++) yield joined(steps, at);
  for (const [at, step] of steps.entries()) {
    for (const simple of simplerStep(step)) yield steps.with(at, simple);
  }
}

/** The first step alone may have the ring. */
function without(steps: Steps, at: number): Steps {
  const { ring } = steps[0] as AskedStep;
  const [first, ...rest] = steps.toSpliced(at, 1);
  return [{ ...(first as AskedStep), ...(ring !== undefined && { ring }) }, ...rest];
}

/** A step and the one before it as one: what the later says of a part holds, and only it asks. */
function joined(steps: Steps, at: number): Steps {
  const [before, after] = [steps[at - 1] as AskedStep, steps[at] as AskedStep];
  const one = {
    ...before,
    ...after,
    slots: [...(before.slots ?? []), ...(after.slots ?? [])],
    mem: [...(before.mem ?? []), ...(after.mem ?? [])],
  };
  return steps.toSpliced(at - 1, 2, one);
}

function* simplerStep(step: AskedStep): Generator<AskedStep> {
  for (const gvas of shorter(step.gvas)) yield { ...step, gvas };
  for (const part of ["prot", "cpuid", "rflags", "ring", "mem", "slots", "sregs"] as const) {
    const { [part]: _left, ...rest } = step;
    if (step[part] !== undefined) yield rest;
  }
  for (const part of ["mem", "slots", "prot"] as const) {
    for (const rows of shorter<unknown>(step[part] ?? [])) yield { ...step, [part]: rows };
  }
  yield* plainerWords(step);
}

/** Halves, quarters and so on left out, and at last one after the other. */
function* shorter<T>(rows: readonly T[]): Generator<readonly T[]> {
  for (let part = Math.ceil(rows.length / 2); part >= 1; part = part === 1 ? 0 : Math.ceil(part / 2)) {
    for (let from = rows.length - part; from >= 0; from -= part) yield rows.toSpliced(from, part);
  }
}

/** Values of entries and registers, and the addresses that are asked, with a bit less. */
function* plainerWords(step: AskedStep): Generator<AskedStep> {
  for (const [at, gva] of step.gvas.entries()) {
    for (const plain of lessBits(gva)) yield { ...step, gvas: step.gvas.with(at, plain) };
  }
  for (const [at, [gpa, value]] of (step.mem ?? []).entries()) {
    for (const plain of lessBits(value)) yield { ...step, mem: (step.mem ?? []).with(at, [gpa, plain]) };
  }
  for (const [at, [id, gpa, size, flags, offset]] of (step.slots ?? []).entries()) {
    const slots = (step.slots ?? []).with(at, [id, gpa, size, flags & (flags - 1), offset]);
    if (flags > 0) yield { ...step, slots };
  }
  const { sregs } = step;
  if (sregs === undefined) return;
  for (const name of ["cr0", "cr3", "cr4", "efer"] as const) {
    for (const plain of lessBits(sregs[name])) yield { ...step, sregs: { ...sregs, [name]: plain } };
  }
}

function* lessBits(word: string): Generator<string> {
  const value = BigInt(word);
  for (let at = 63n; at >= 0n; at--) {
    if ((value >> at) % 2n === 1n) yield `0x${(value & ~(1n << at)).toString(16)}`;
  }
}
