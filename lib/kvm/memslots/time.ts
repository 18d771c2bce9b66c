/**
 * Which operations would show the time of the host, of which no engine knows.
 *
 * A poke leaves a version of four bytes and then eight of time. Slots begin
 * at pages, so a byte keeps its place in a page wherever it is shown.
 */
import type { VectorOp } from "../../vectors/types.js";

const PAGE_BYTES = 4096;
const VERSION_BYTES = 4;
const TIME_BYTES = 8;

/** The operations without the peeks that would see it. */
export function withoutTime(ops: readonly VectorOp[]): readonly VectorOp[] {
  const pokes = ops.filter(([name]) => name === "poke").map(([, gpa]) => placeOf(gpa));
  return ops.filter(([name, hva]) => name !== "peek" || !pokes.some((poke) => isSeen(placeOf(hva), poke)));
}

export function showsTime(ops: readonly VectorOp[]): boolean {
  return withoutTime(ops).length < ops.length;
}

function isSeen(peek: number, poke: number): boolean {
  const apart = (peek - (poke + VERSION_BYTES) + 2 * PAGE_BYTES) % PAGE_BYTES;
  return apart < TIME_BYTES || apart > PAGE_BYTES - VERSION_BYTES;
}

function placeOf(address: unknown): number {
  return Number(BigInt(address as string) % BigInt(PAGE_BYTES));
}
