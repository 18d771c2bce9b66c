/**
 * Copies of a recording with one thing wrong: a line about an entry altered in one field or bit, a line gone, a line
 * twice.
 */

export interface Mutation {
  readonly what: string;
  /** From 1. */
  readonly line: number;
  readonly kind: "altered" | "address" | "removed" | "duplicated";
  /** Made when it is asked for: there are thousands. */
  readonly text: () => string;
}

const CHANGED =
  /kvm_tdp_mmu_spte_changed: as id (?<as>\d+) gfn (?<gfn>\w+) level (?<level>\d) old_spte (?<old>\w+) new_spte (?<now>\w+)/d;
const SET = /kvm_mmu_set_spte: gfn (?<gfn>\w+) spte (?<old>\w+) \(\S+\) level (?<level>\d) at \w+/d;

/** Of an entry: flags of hardware and software, low and high. */
const FLAGS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 52, 53, 54, 56, 57, 58, 62, 63];
/** Of where it leads. */
const ADDRESS = [12, 21, 30, 38];

export function mutationsOf(text: string): Mutation[] {
  const lines = text.split("\n");
  return lines.flatMap((line, at) => {
    const found = CHANGED.exec(line) ?? SET.exec(line);
    if (found?.indices?.groups === undefined) return [];
    const put = (changed: readonly string[]): string =>
      [...lines.slice(0, at), ...changed, ...lines.slice(at + 1)].join("\n");
    const named = { line: at + 1 };
    const altered = alterationsOf(line, found.indices.groups).map(({ what, kind, changed }) => ({
      ...named,
      what,
      kind,
      text: () => put([changed]),
    }));
    return [
      ...altered,
      { ...named, kind: "removed" as const, what: "removed", text: () => put([]) },
      { ...named, kind: "duplicated" as const, what: "duplicated", text: () => put([line, line]) },
    ];
  });
}

type Places = Readonly<Record<string, [number, number]>>;

function alterationsOf(line: string, places: Places) {
  const replaced = (name: string, value: string): string => {
    const [start, end] = places[name] as [number, number];
    return line.slice(0, start) + value + line.slice(end);
  };
  const numberIn = (name: string, base: number): bigint => {
    const [start, end] = places[name] as [number, number];
    const digits = line.slice(start, end);
    return BigInt(base === 16 ? `0x${digits}` : digits);
  };
  const entries = ["old", "now"].filter((name) => places[name] !== undefined);
  const flipped = (bits: readonly number[], kind: "altered" | "address") =>
    entries.flatMap((name) =>
      bits.map((bit) => {
        const value = numberIn(name, 16) ^ (1n << BigInt(bit));
        const how = (value >> BigInt(bit)) & 1n ? "set" : "cleared";
        return { what: `${name} bit ${bit} ${how}`, kind, changed: replaced(name, value.toString(16)) };
      }),
    );
  const level = Number(numberIn("level", 10));
  const next = numberIn("gfn", 16) + 512n ** BigInt(level - 1);
  const others = [
    { what: "gfn", kind: "altered" as const, changed: replaced("gfn", next.toString(16)) },
    {
      what: "level",
      kind: "altered" as const,
      changed: replaced("level", String(level === 4 ? 3 : level + 1)),
    },
  ];
  if (places["as"] !== undefined) {
    others.push({ what: "as id", kind: "altered", changed: replaced("as", "1") });
  }
  return [...flipped(FLAGS, "altered"), ...flipped(ADDRESS, "address"), ...others];
}
