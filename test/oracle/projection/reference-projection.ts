/**
 * Projections as slowly and plainly as they can be said: one object an event,
 * bigints, a list of everything that a page has seen. It shares nothing with
 * the library but the shape of the context.
 */
import type { ProjectionContext } from "../../../lib/projections/projection.js";

export interface TraceRow {
  readonly kind: number;
  readonly gpa: number;
  readonly bytes: number;
  readonly errorCode: number;
  readonly vcpu: number;
  readonly access: number;
  readonly time: number;
  readonly rip: bigint;
}

const ACCESS = 0;
const ATTRIBUTES = 8;
const FETCH = 4;
const MASK = 2n ** 64n - 1n;

export function splitmix64(x: bigint): bigint {
  let z = (x + 0x9e3779b97f4a7c15n) & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return z ^ (z >> 31n);
}

/** Whether z / 2^64 < p: a double is a fraction whose denominator divides 2^1074. */
export function isBelow(z: bigint, p: number): boolean {
  let numerator = p;
  let doublings = 0n;
  for (; !Number.isInteger(numerator); numerator *= 2) doublings++;
  return z * 2n ** doublings < BigInt(numerator) * 2n ** 64n;
}

/** What becomes of a whole trace. `text` in its normal form. */
export function project(
  text: string | undefined,
  context: ProjectionContext,
  trace: readonly TraceRow[],
): TraceRow[] {
  const seen = new Map<bigint, number>();
  const aliasNow = new Map<bigint, number>();
  const rows: TraceRow[] = [];
  for (const row of trace) {
    if (row.kind !== ACCESS) {
      rows.push(row);
      continue;
    }
    const gfn = BigInt(row.gpa) >> 12n;
    const isRam = isWritableRam(row.gpa, context);
    const count = seen.get(gfn) ?? 0;
    seen.set(gfn, count + 1);
    const chosen = chosenAlias(text, context, row, gfn, count, isRam);
    const isShared = context.kind === "private-shared";
    const alias = isShared && !isRam ? 1 : chosen;
    if (isShared && isRam && alias !== (aliasNow.get(gfn) ?? 0)) {
      aliasNow.set(gfn, alias);
      rows.push(conversion(row, gfn, alias === 0));
    }
    rows.push({ ...row, gpa: row.gpa + (context.aliases[alias] ?? Number.NaN) });
  }
  return rows;
}

function conversion(row: TraceRow, gfn: bigint, toPrivate: boolean): TraceRow {
  const access = 2 + (toPrivate ? 1 : 0);
  return { ...row, kind: ATTRIBUTES, gpa: Number(gfn * 4096n), bytes: 4096, errorCode: 0, access };
}

function chosenAlias(
  text: string | undefined,
  { aliases, bounce }: ProjectionContext,
  { gpa, access }: TraceRow,
  gfn: bigint,
  count: number,
  isRam: boolean,
): number {
  const [name, rest = ""] = (text ?? "").split(":");
  if (name === "fetch") return access === FETCH ? 1 : 0;
  if (name === "bounce") return bounce !== undefined && gpa >= bounce.start && gpa < bounce.end ? 1 : 0;
  if (name === "range") {
    const [start, end] = rest.split("-").map(Number) as [number, number];
    return gpa >= start && gpa < end ? 1 : 0;
  }
  const [first = "", seed = "0"] = rest.split(",");
  const hash = splitmix64(BigInt(seed) ^ gfn);
  if (name === "fraction") return isBelow(hash, Number(first)) ? 1 : 0;
  if (name !== "churn" || !isRam) return 0;
  const n = BigInt(first);
  return Number(((BigInt(count) + (hash % n)) / n) % BigInt(aliases.length));
}

function isWritableRam(gpa: number, { memslots, internalSlots }: ProjectionContext): boolean {
  const isApicPage = gpa >= 0xfee00000 && gpa < 0xfee01000;
  const isTssOrMap = gpa >= 0xfeffc000 && gpa < 0xfeffc000 + 4 * 4096;
  if (internalSlots && (isApicPage || isTssOrMap)) return false;
  return memslots.some((slot) => !slot.readonly && gpa >= slot.gpa && gpa < slot.gpa + slot.bytes);
}
