/**
 * Which bits of an address are alias bits, by the name of a scheme. A second
 * reading of the same names: nothing here is shared with the engine.
 */

export type PresetKind = "none" | "attribute" | "private-shared" | "stripped";

export interface Preset {
  readonly kind: PresetKind;
  /** Ascending bit numbers of an address. */
  readonly bits: readonly number[];
  /** Alias 1 may only fetch. */
  readonly executeOnly: boolean;
}

const LOWEST_BIT = 31;
const HIGHEST_BIT = 51;
const FOUR_LEVEL_BITS = 48;
const UNITS: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

function numberIn(text: string): number {
  const unit = UNITS[text.slice(-1).toUpperCase()];
  return unit === undefined ? Number(text) : Number(text.slice(0, -1)) * unit;
}

const oneBit = (kind: PresetKind, bit: number, executeOnly = false): Preset => ({
  kind,
  bits: [bit],
  executeOnly,
});

const READERS: Readonly<Record<string, (argument: string) => Preset>> = {
  none: () => ({ kind: "none", bits: [], executeOnly: false }),
  tdx47: () => oneBit("private-shared", 47),
  tdx51: () => oneBit("private-shared", 51),
  xo: (bit) => oneBit("attribute", Number(bit), true),
  sev: (bit) => oneBit("stripped", Number(bit)),
  hyperv: (bit) => oneBit("private-shared", Number(bit)),
  vtom: (address) => oneBit("private-shared", Math.log2(numberIn(address))),
  cca: (width) => oneBit("private-shared", Number(width) - 1),
  bits: (list) => ({
    kind: "attribute",
    bits: list
      .split(",")
      .map(Number)
      .sort((a, b) => a - b),
    executeOnly: false,
  }),
};

export function presetNamed(text: string): Preset {
  const [name = "", argument = ""] = text.split(":");
  const preset = READERS[name]?.(argument);
  if (preset === undefined || !isPossible(preset)) throw new Error(`no preset ${text}`);
  return preset;
}

/** In range, at most four, and without gaps up to the highest. */
function isPossible({ bits }: Preset): boolean {
  const lowest = bits[0] ?? LOWEST_BIT;
  return (
    bits.length <= 4 && bits.every((bit, i) => bit >= LOWEST_BIT && bit <= HIGHEST_BIT && bit === lowest + i)
  );
}

/** The width and root level that a preset fixes; `none` fixes nothing. */
export function shapeOf({ bits }: Preset): { addressBits: number; rootLevel: number } | undefined {
  const highest = bits.at(-1);
  if (highest === undefined) return undefined;
  const addressBits = highest + 1;
  return { addressBits, rootLevel: addressBits <= FOUR_LEVEL_BITS ? 4 : 5 };
}
