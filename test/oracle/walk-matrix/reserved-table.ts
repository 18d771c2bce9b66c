/** The table of reserved bits as text, a row for each mode and level: without bit 7, and with it. */
import type { Features } from "../reference-walker/features.js";
import type { Shape } from "../reference-walker/modes.js";
import { CR4_PSE, EFER_NX, type Registers } from "../reference-walker/registers.js";

/**
 * `H` is MAXPHYADDR to 51, `H62` to 62, without stolen bits; `NX` bit 63 where NX is off, `AMD` bit 8 of an AMD guest,
 * `1G` bit 7 of a guest without such pages, `PSE` what follows it with CR4.PSE alone; else bits, high to low.
 */
const LONG: readonly (readonly [string, string])[] = [
  ["", ""],
  ["H NX", "H NX"],
  ["H NX", "H NX 20:13"],
  ["H NX 1G", "H NX 1G 29:13"],
  ["H NX 7 AMD", "H NX 7 AMD"],
  ["H NX 7 AMD", "H NX 7 AMD"],
];
const ROWS: Readonly<Record<Shape["mode"], typeof LONG>> = {
  "32-bit": [
    ["", ""],
    ["", ""],
    ["", "PSE 21:17"],
  ],
  pae: [
    ["", ""],
    ["H62 NX", "H62 NX"],
    ["H62 NX", "H62 NX 20:13"],
  ],
  "4-level": LONG,
  "5-level": LONG,
};

const LAST = /^(\d+)(?::(\d+))?$/;

/** As a set of bits: one number each, so that no width of a machine word has a say. */
function bitsOf(word: string, features: Features, registers: Registers): number[] {
  const range = (high: number, low: number): number[] =>
    [...Array(64).keys()].filter((n) => n >= low && n <= high);
  const width = features.maxphyaddr ?? 36;
  const unstolen = (n: number): boolean => ((features.stolen >> BigInt(n)) & 1n) === 0n;
  if (word === "H") return range(51, width).filter(unstolen);
  if (word === "H62") return range(62, width).filter(unstolen);
  if (word === "NX") return (registers.efer & EFER_NX) === 0n ? [63] : [];
  if (word === "AMD") return features.isAmd ? [8] : [];
  if (word === "1G") return features.hasGigabytePages ? [] : [7];
  const [, high = "", low = high] = LAST.exec(word) ?? [];
  return range(Number(high), Number(low));
}

function maskOf(row: string, features: Features, registers: Registers): bigint {
  const [first, ...others] = row.split(" ");
  const isPse = first === "PSE";
  if (row === "" || (isPse && (registers.cr4 & CR4_PSE) === 0n)) return 0n;
  const words = isPse ? others : row.split(" ");
  const all = words.flatMap((word) => bitsOf(word, features, registers));
  return all.reduce((mask, n) => mask | (1n << BigInt(n)), 0n);
}

/** Two halves, low first, for each level and bit 7: at 4 level + 2 bit7. */
export function reservedHalves(mode: Shape["mode"], features: Features, registers: Registers): Uint32Array {
  const masks = ROWS[mode].flatMap((row) => row.map((text) => maskOf(text, features, registers)));
  return new Uint32Array(new BigUint64Array(masks).buffer);
}
