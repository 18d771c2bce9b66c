/** Where two answers to a batch differ, in words that suffice to ask again. */
import { type Answers, type Batch, CASES, settingOf, TRANSLATED } from "./batch.js";
import { TOP } from "./settings.js";

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

function told(answers: Answers, i: number): string {
  const code = answers.codes[i] ?? 0;
  if (code !== TRANSLATED) return `fault ${hex(code)}`;
  const names = ["X", "W", "U"].filter((_, n) => ((answers.rights[i] ?? 0) & (1 << n)) !== 0).join("");
  return `gpa ${hex(answers.gpas[i] ?? 0n)}, level ${answers.levels[i]}, rights ${names || "none"}`;
}

const entriesOf = ({ mode }: Batch, entries: BigUint64Array, i: number): string[] =>
  [...Array(TOP[mode]).keys()].map((n) => hex(entries[(TOP[mode] - n) * CASES + i] ?? 0n));

const differs = (one: Answers, other: Answers, i: number): boolean =>
  one.codes[i] !== other.codes[i] ||
  (one.codes[i] === TRANSLATED &&
    (one.gpas[i] !== other.gpas[i] ||
      one.levels[i] !== other.levels[i] ||
      one.rights[i] !== other.rights[i]));

/** Case `i` of the batch, all of it. */
export function described(batch: Batch, i: number): string {
  const { cr0, cr3, cr4, efer, rflags, pkru } = settingOf(batch, i);
  const { maxphyaddr = "none", isAmd, hasGigabytePages, stolen } = batch.features;
  const entries = entriesOf(batch, batch.entries, i).join(" ");
  const registers = Object.entries({ cr0, cr3, cr4, efer, rflags, pkru }).map(
    ([name, value]) => `${name} ${hex(value)}`,
  );
  return [
    `${batch.mode}, ${registers.join(", ")}`,
    `maxphyaddr ${maxphyaddr}, ${isAmd ? "AMD" : "not AMD"}, 1 GiB ${hasGigabytePages}, stolen ${hex(stolen)}`,
    `address ${hex(batch.addresses[i] ?? 0n)}, access ${hex(batch.accesses[i] ?? 0)}, entries ${entries}`,
  ].join("\n");
}

/** The first case that differs, as text; undefined if all agree. */
export function difference(batch: Batch, expected: Answers, got: Answers): string | undefined {
  for (let i = 0; i < CASES; ++i) {
    const [own, other] = [expected, got].map(({ entries }) => entriesOf(batch, entries, i).join(" "));
    if (!differs(expected, got, i) && own === other) continue;
    return [
      `batch ${batch.number}, case ${i}`,
      described(batch, i),
      `expected ${told(expected, i)}, entries then ${own}`,
      `got ${told(got, i)}, entries then ${other}`,
    ].join("\n");
  }
  return undefined;
}
