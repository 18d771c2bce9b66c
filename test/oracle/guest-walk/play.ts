/** What a world comes to, in words that both sides can say. */
import type { GuestTranslation } from "../../../lib/guest-translation.js";
import type { Reference } from "../reference-walker/references.js";
import type { Outcome } from "../reference-walker/walk.js";

export interface Played {
  /** Of each query: the answer, and what was read on the way. */
  readonly answers: readonly string[];
  /** Slot and page of each mark in the ring, in order. */
  readonly dirtied: readonly string[];
  readonly arena: Uint8Array;
}

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

interface AnyFault {
  readonly code: bigint;
  readonly address: bigint;
  readonly nested: boolean;
  /** Of EPT alone. */
  readonly qualification?: bigint;
}

function faultText({ code, address, nested, qualification }: AnyFault): string {
  const exit = qualification === undefined ? "" : ` with ${hex(qualification)}`;
  return `fault ${hex(code)} of ${nested ? "L1" : "the guest"} at ${hex(address)}${exit}`;
}

const rightsText = (rights: { user: boolean; write: boolean; execute: boolean }): string =>
  `${rights.user ? "U" : ""}${rights.write ? "W" : ""}${rights.execute ? "X" : ""}`;

const answerText = (gpa: bigint, level: number, rights: Parameters<typeof rightsText>[0]): string =>
  `${hex(gpa)} level ${level} ${rightsText(rights)}`;

export function outcomeText(outcome: Outcome, references: readonly Reference[]): string {
  const read = references.map(({ kind, gpa }) => `${kind === "own" ? "" : "^"}${hex(gpa)}`).join(" ");
  if (!("fault" in outcome)) return `${answerText(outcome.gpa, outcome.level, outcome.granted)} by ${read}`;
  const { fault } = outcome;
  if (fault === undefined) return `no address by ${read}`;
  const { errorCode: code, address, nested } = fault;
  const more = "qualification" in fault ? { qualification: fault.qualification } : {};
  return `${faultText({ code, address, nested, ...more })} by ${read}`;
}

export function translationText(answer: GuestTranslation, isEpt: boolean): string {
  if (answer.ended === "noAddress") return "no address by ";
  const read = (answer.references ?? []).map((each) => `${each.isSecondLevel ? "^" : ""}${hex(each.gpa)}`);
  if (answer.ended === "mapped")
    return `${answerText(answer.gpa, answer.level, answer.granted)} by ${read.join(" ")}`;
  const { errorCode, address, nested, qualification } = answer.fault;
  const more = nested && isEpt ? { qualification: BigInt(qualification) } : {};
  return `${faultText({ code: BigInt(errorCode), address, nested, ...more })} by ${read.join(" ")}`;
}
