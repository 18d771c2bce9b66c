/**
 * Words for the values of the `kind` and `access` columns, for formats that
 * people read and query.
 *
 * Every value has exactly one word and every word one value, so that a trace
 * survives the way there and back. A value without a name is its number.
 */
import { ACCESS_BITS, ATTRIBUTE_BITS, KIND } from "../columns/event-batch.js";
import { EVENT_KINDS, type EventKind } from "../columns/layout.js";

const VALUES = 256;
const ACCESS_NAMES = Object.entries(ACCESS_BITS);

const accessWords = wordsFor((bits) => (bits <= 7 ? accessWord(bits) : String(bits)));
const attributeWords = wordsFor((bits) => (bits <= 3 ? attributeWord(bits) : String(bits)));
const accessValues = valuesOf(accessWords);
const attributeValues = valuesOf(attributeWords);

/** The kind's name; undefined for a number that is no kind. */
export function kindWord(kind: number): EventKind | undefined {
  return EVENT_KINDS[kind];
}

/** The value of the `kind` column; undefined for a word that is no kind. */
export function kindValue(word: unknown): number | undefined {
  return typeof word === "string" && Object.hasOwn(KIND, word) ? KIND[word as EventKind] : undefined;
}

/** `write`, `read+write`, `none`; for a change of attributes `private` or `shared`, `+inserted` by a projection. */
export function accessWordOf(kind: number, access: number): string {
  return (kind === KIND.attributes ? attributeWords : accessWords)[access] as string;
}

/** The value of the `access` column; undefined for a word that is none of this kind. */
export function accessValueOf(kind: number, word: unknown): number | undefined {
  return (kind === KIND.attributes ? attributeValues : accessValues).get(word);
}

function wordsFor(word: (bits: number) => string): readonly string[] {
  return Array.from({ length: VALUES }, (_, bits) => word(bits));
}

function valuesOf(words: readonly string[]): ReadonlyMap<unknown, number> {
  return new Map(words.map((word, bits) => [word, bits]));
}

function accessWord(bits: number): string {
  const names = ACCESS_NAMES.filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name);
  return names.length === 0 ? "none" : names.join("+");
}

function attributeWord(bits: number): string {
  const word = bits & ATTRIBUTE_BITS.private ? "private" : "shared";
  return bits & ATTRIBUTE_BITS.inserted ? `${word}+inserted` : word;
}
