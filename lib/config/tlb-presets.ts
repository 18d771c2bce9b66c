/**
 * Second-level TLBs of real parts, as their makers publish them, under the
 * names that `tlb` takes.
 *
 * Data alone. What KVM's tables fill is the level that counts: it is larger
 * than the first, and holds what the first has lost. Each has its source; what
 * the source leaves open is said, and left out or marked as a guess.
 */
import type { PagingStructureCaches, TlbArray } from "./types.js";

/** A real part's TLB. */
export interface TlbPreset {
  /** As the option `tlb` takes it. */
  readonly name: string;
  /** Which parts have it: one line. */
  readonly parts: string;
  readonly arrays: readonly TlbArray[];
  /** Absent where nobody has published any. */
  readonly pagingStructureCaches?: PagingStructureCaches;
  /** The document and the table, and what is uncertain. */
  readonly source: string;
}

const OPTIMIZATION_MANUAL = "Intel 64 and IA-32 Architectures Optimization Reference Manual (248966)";

/** CPUID leaf 18H of Sunny Cove, and of Golden Cove after it. */
const SUNNY_COVE_ARRAYS: readonly TlbArray[] = [
  { entries: 1024, ways: 8, sizes: ["4K", "2M"] },
  { entries: 1024, ways: 8, sizes: ["4K", "1G"] },
];

/** Every preset, oldest part first within a maker. */
export const TLB_PRESETS: readonly TlbPreset[] = [
  {
    name: "skylake-server",
    parts: "Intel Skylake-SP, Cascade Lake-SP, Cooper Lake-SP",
    arrays: [
      { entries: 1536, ways: 12, sizes: ["4K", "2M"] },
      { entries: 16, ways: 4, sizes: ["1G"] },
    ],
    pagingStructureCaches: { pde: 32, pdpte: 4 },
    source:
      `${OPTIMIZATION_MANUAL}, TLB parameters of the Skylake microarchitecture (table 2-15 in revision 045), for the ` +
      "arrays. The caches of links are not published: sizes as measured by van Schaik et al., RevAnC, EuroSec 2017, " +
      "on a Skylake client, where no cache of PML4 entries was found; uncertain.",
  },
  {
    name: "ice-lake-server",
    parts: "Intel Ice Lake-SP",
    arrays: SUNNY_COVE_ARRAYS,
    source:
      `${OPTIMIZATION_MANUAL}, TLB parameters of the Ice Lake client microarchitecture: 2,048 entries, of which 2M and ` +
      "1G pages can take 1,024 each; as two arrays of 8 ways by CPUID leaf 18H of Sunny Cove cores. How a 4K page " +
      "chooses between the two is a guess. No caches of links are published.",
  },
  {
    name: "sapphire-rapids",
    parts: "Intel Sapphire Rapids, Emerald Rapids (Golden Cove cores)",
    arrays: SUNNY_COVE_ARRAYS,
    source:
      `${OPTIMIZATION_MANUAL}, Golden Cove: a shared second-level TLB of 2,048 entries; the two arrays by CPUID leaf ` +
      "18H, as on Ice Lake. That both have 8 ways is uncertain. No caches of links are published.",
  },
  {
    name: "zen3",
    parts: "AMD EPYC 7003 (Milan), Ryzen 5000",
    arrays: [{ entries: 2048, ways: 16, sizes: ["4K", "2M"] }],
    pagingStructureCaches: { pdpte: 64, pml4e: 64 },
    source:
      "AMD Software Optimization Guide for Family 19h (56665), memory address translation: the second-level data TLB, " +
      "where 1G pages are kept as parts of 2M; its walkers' 64-entry page directory cache, which the guide says holds " +
      "page-map-level-4 and page-directory-pointer entries, is taken as 64 of each. That there are 16 ways, as on " +
      "Family 17h models 30h and up (56305), is uncertain; links at the lowest level share the TLB there and are " +
      "left out.",
  },
  {
    name: "zen4",
    parts: "AMD EPYC 9004 (Genoa, Bergamo), Ryzen 7000",
    arrays: [{ entries: 3072, ways: 24, sizes: ["4K", "2M"] }],
    pagingStructureCaches: { pdpte: 64, pml4e: 64 },
    source:
      "AMD Software Optimization Guide for the Zen 4 microarchitecture (57647), memory address translation: as zen3 " +
      "but for 3,072 entries. That there are 24 ways, and 64 links of each level, is uncertain.",
  },
];
