/** Lines of KVM's tracepoints, as tracefs prints them: recorded, or printed by a VM. */

export type Line =
  | { readonly event: "unmap"; readonly start: number; readonly end: number }
  | { readonly event: "fault"; readonly vcpu: number; readonly address: number; readonly code: bigint }
  | { readonly event: "requested"; readonly gfn: number; readonly pfn: bigint; readonly level: number }
  | {
      readonly event: "changed";
      readonly gfn: number;
      readonly level: number;
      readonly old: bigint;
      readonly now: bigint;
    }
  | {
      readonly event: "set";
      readonly gfn: number;
      readonly spte: bigint;
      readonly rights: string;
      readonly level: number;
    }
  | { readonly event: "mmio"; readonly gfn: number; readonly access: number; readonly generation: number }
  | {
      readonly event: "split";
      readonly gfn: number;
      readonly spte: bigint;
      readonly level: number;
      readonly error: number;
    }
  /** Lines that whoever made the excerpt left out: changes of one level, first to last frame. */
  | { readonly event: "omitted"; readonly gfn: number; readonly last: number; readonly level: number }
  | { readonly event: "cut"; readonly text: string };

type Fields = Readonly<Record<string, string>>;

const hex = (text = ""): bigint => BigInt(`0x${text.replace(/^0x/, "")}`);
const frame = (text = ""): number => Number(hex(text));

const LINES: readonly (readonly [RegExp, (fields: Fields) => Line])[] = [
  [
    /: kvm_unmap_hva_range: mmu notifier unmap range: (?<start>\w+) -- (?<end>\w+)/,
    ({ start, end }) => ({ event: "unmap", start: frame(start), end: frame(end) }),
  ],
  [
    /: kvm_page_fault: vcpu (?<vcpu>\d+) rip \w+ address (?<address>\w+) error_code (?<code>\w+)/,
    ({ vcpu, address, code }) => ({
      event: "fault",
      vcpu: Number(vcpu),
      address: frame(address),
      code: hex(code),
    }),
  ],
  [
    /: kvm_mmu_spte_requested: gfn (?<gfn>\w+) pfn (?<pfn>\w+) level (?<level>\d)/,
    ({ gfn, pfn, level }) => ({ event: "requested", gfn: frame(gfn), pfn: hex(pfn), level: Number(level) }),
  ],
  [
    /: kvm_tdp_mmu_spte_changed: as id 0 gfn (?<gfn>\w+) level (?<level>\d) old_spte (?<old>\w+) new_spte (?<now>\w+)/,
    ({ gfn, level, old, now }) => ({
      event: "changed",
      gfn: frame(gfn),
      level: Number(level),
      old: hex(old),
      now: hex(now),
    }),
  ],
  [
    /: kvm_mmu_set_spte: gfn (?<gfn>\w+) spte (?<spte>\w+) \((?<rights>[rwxu-]+)\) level (?<level>\d) at \w+/,
    ({ gfn, spte, rights = "", level }) => ({
      event: "set",
      gfn: frame(gfn),
      spte: hex(spte),
      rights,
      level: Number(level),
    }),
  ],
  [
    /: mark_mmio_spte: sptep:\w+ gfn (?<gfn>\w+) access (?<access>\w+) gen (?<generation>\w+)/,
    ({ gfn, access, generation }) => ({
      event: "mmio",
      gfn: frame(gfn),
      access: frame(access),
      generation: frame(generation),
    }),
  ],
  [
    /: kvm_mmu_split_huge_page: gfn (?<gfn>\w+) spte (?<spte>\w+) level (?<level>\d) errno (?<error>-?\d+)/,
    ({ gfn, spte, level, error }) => ({
      event: "split",
      gfn: frame(gfn),
      spte: hex(spte),
      level: Number(level),
      error: Number(error),
    }),
  ],
  [
    /^### omitted .* gfn (?<first>\w+)\.\.(?<last>\w+) level (?<level>\d)/,
    ({ first, last, level }) => ({
      event: "omitted",
      gfn: frame(first),
      last: frame(last),
      level: Number(level),
    }),
  ],
  [/^### (?<text>.*)/, ({ text = "" }) => ({ event: "cut", text })],
];

/** What is understood of a text, in its order. Tracepoints of no interest here are passed over. */
export function linesOf(text: string): Line[] {
  return text.split("\n").flatMap((line) => {
    for (const [pattern, read] of LINES) {
      const found = pattern.exec(line);
      if (found !== null) return [read(found.groups ?? {})];
    }
    return [];
  });
}
