/**
 * Checks of single options that need nothing but their value.
 *
 * Each returns the value with its default filled in, or throws the sentence.
 * It must not know how options depend on each other, nor the engine.
 */
import { expectOneOf, outOfRange, wrongType } from "../expect.js";
import type { GuestPaging } from "./types.js";

const GUEST_PAGING = ["long", "pae", "32", "shadow-ept"] as const;
/** A period beyond this is never reached by a trace. */
const MAX_PERIOD = 2 ** 32 - 1;

export function booleanOf(option: string, value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value !== "boolean") throw wrongType(option, "true or false", value);
  return value;
}

export function guestPagingOf(value: unknown): GuestPaging {
  return expectOneOf("guestPaging", value ?? "long", GUEST_PAGING);
}

/** `none`, `hyperv`, or `fail:<k>`. */
export function flushProviderOf(value: unknown): string {
  return wordOrPeriod("flushProvider", value ?? "none", ["none", "hyperv"], ["fail"]);
}

/** `ok`, `busy:<k>`, or `fail:<k>`. */
export function externalTablesOf(value: unknown): string {
  return wordOrPeriod("externalTables", value ?? "ok", ["ok"], ["busy", "fail"]);
}

// One of some words, or another word with a period behind it: every k-th time.
function wordOrPeriod(
  option: string,
  value: unknown,
  words: readonly string[],
  periodic: readonly string[],
): string {
  const forms = [...words, ...periodic.map((word) => `${word}:<k>`)].map((form) => JSON.stringify(form));
  if (typeof value !== "string") throw wrongType(option, `one of ${forms.join(", ")}`, value);
  if (words.includes(value)) return value;
  const [word = "", period = "", ...rest] = value.split(":");
  const isKnown = periodic.includes(word) && rest.length === 0 && /^[1-9]\d{0,9}$/.test(period);
  if (isKnown && Number(period) <= MAX_PERIOD) return value;
  throw outOfRange(option, `one of ${forms.join(", ")} with k from 1 to ${MAX_PERIOD}`, value);
}
