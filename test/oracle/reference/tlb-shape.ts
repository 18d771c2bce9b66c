/**
 * How a TLB is made: what a configuration may say, and what it comes to. The
 * presets are typed in from the documents a second time, so that a slip in
 * either place shows.
 */

export interface TlbArrayShape {
  readonly entries: number;
  readonly ways: number;
  /** Levels of the leaves that it holds whole. */
  readonly sizes: readonly number[];
}

export interface TlbShape {
  readonly arrays: readonly TlbArrayShape[];
  /** Links remembered, by the level of the table they stand in. */
  readonly links: ReadonlyMap<number, number>;
}

type PageSize = "4K" | "2M" | "1G";
const LEVELS: Readonly<Record<PageSize, number>> = { "4K": 1, "2M": 2, "1G": 3 };
const LINKS = { pde: 2, pdpte: 3, pml4e: 4, pml5e: 5 } as const;

type LinkCounts = Partial<Record<keyof typeof LINKS, number>>;

export type TlbArrays = readonly {
  readonly entries: number;
  readonly ways: number;
  readonly sizes: readonly PageSize[];
}[];

export type TlbOption =
  | string
  | { readonly entries: number; readonly ways: number }
  | { readonly arrays: TlbArrays; readonly pagingStructureCaches?: LinkCounts };

const array = (entries: number, ways: number, ...sizes: number[]): TlbArrayShape => ({
  entries,
  ways,
  sizes,
});

const SUNNY_COVE = [array(1024, 8, 1, 2), array(1024, 8, 1, 3)];
const ZEN_LINKS = { pdpte: 64, pml4e: 64 };

const PRESETS: Readonly<Record<string, readonly [TlbArrayShape[], LinkCounts]>> = {
  "skylake-server": [[array(1536, 12, 1, 2), array(16, 4, 3)], { pde: 32, pdpte: 4 }],
  "ice-lake-server": [SUNNY_COVE, {}],
  "sapphire-rapids": [SUNNY_COVE, {}],
  zen3: [[array(2048, 16, 1, 2)], ZEN_LINKS],
  zen4: [[array(3072, 24, 1, 2)], ZEN_LINKS],
};

export const TLB_PRESET_NAMES = Object.keys(PRESETS);

export function tlbShapeOf(option: TlbOption): TlbShape {
  if (typeof option === "string") {
    const preset = PRESETS[option];
    if (preset === undefined) throw new Error(`no TLB preset ${option}`);
    return { arrays: preset[0], links: linksOf(preset[1]) };
  }
  if (!("arrays" in option)) return { arrays: [array(option.entries, option.ways, 1)], links: new Map() };
  const arrays = option.arrays.map(({ entries, ways, sizes }) =>
    array(entries, ways, ...sizes.map((size) => LEVELS[size])),
  );
  return { arrays, links: linksOf(option.pagingStructureCaches ?? {}) };
}

function linksOf(counts: LinkCounts): ReadonlyMap<number, number> {
  return new Map(
    (Object.keys(LINKS) as (keyof typeof LINKS)[]).map((name) => [LINKS[name], counts[name] ?? 0]),
  );
}
