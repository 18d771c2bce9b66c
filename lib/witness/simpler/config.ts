/** A configuration with less in it: each option at its default, or nearer to it. */
import type { VmConfig } from "../../config/types.js";
import type { Story } from "../story.js";

/** What the story is about, and what is settled elsewhere. */
const KEPT: readonly string[] = ["alias", "mmu", "vcpus"];
/** Sizes of a TLB of one set that are tried, in entries. */
const TLB_ENTRIES = [1, 2, 4, 8, 16, 32, 64] as const;

export function* simplerConfig(story: Story): Generator<Story> {
  for (const config of simplerConfigs(story.config)) yield { ...story, config };
}

function* simplerConfigs(config: VmConfig): Generator<VmConfig> {
  for (const key of Object.keys(config))
    if (!KEPT.includes(key)) yield without(config, key as keyof VmConfig);
  yield* plainerHosts(config);
  for (const tlb of smallerTlbs(config.tlb)) yield { ...config, tlb };
  for (const flushProvider of simplerWords(config.flushProvider, ["hyperv"]))
    yield { ...config, flushProvider };
  for (const externalTables of simplerWords(config.externalTables, [])) yield { ...config, externalTables };
}

function without(config: VmConfig, key: keyof VmConfig): VmConfig {
  const { [key]: _, ...others } = config;
  return others;
}

function* plainerHosts(config: VmConfig): Generator<VmConfig> {
  const host = config.host ?? {};
  if (Object.keys(host).length < 2) return;
  for (const key of Object.keys(host)) {
    const { [key as keyof typeof host]: _, ...others } = host;
    yield { ...config, host: others };
  }
}

/** Of a TLB of several arrays only the simple ones: what it holds is more than a size. */
function smallerTlbs(tlb: VmConfig["tlb"]): NonNullable<VmConfig["tlb"]>[] {
  if (tlb === undefined || tlb === false) return [];
  const isSimple = typeof tlb === "object" && !("arrays" in tlb);
  const { entries = Number.POSITIVE_INFINITY, ways = Number.POSITIVE_INFINITY } = isSimple ? tlb : {};
  return TLB_ENTRIES.filter((size) => size < entries || (size === entries && ways !== size)).map((size) => ({
    entries: size,
    ways: size,
  }));
}

/** `fail:5`: the words that are simpler, then shorter periods. */
function* simplerWords(text: string | undefined, words: readonly string[]): Generator<string> {
  const [word = "", period] = (text ?? "").split(":");
  if (period === undefined) return;
  yield* words;
  for (let shorter = 1; shorter < Math.min(Number(period), 16); shorter++) yield `${word}:${shorter}`;
}
