// What an addon says of configurations, in tables: enough of the truth that
// the library's own checks and sentences can be tried without an engine.
import type { ConfigEngine } from "../../lib/config/engine.js";
import type { NativePreset, NativeStrategy, NativeVmConfig } from "../../lib/native/addon-types.js";

const BOTH = ["tdp", "rmap"] as const;
const ALL = ["attribute", "private-shared"] as const;

const STRATEGIES: readonly NativeStrategy[] = [
  { name: "mirror", summary: "a mirror", flavours: ["tdp"], presets: ["private-shared"], defects: [] },
  { name: "none", summary: "no aliases", flavours: BOTH, presets: ALL, defects: [] },
  { name: "precise", summary: "exact", flavours: BOTH, presets: ALL, defects: [] },
  {
    name: "v5-as-posted",
    summary: "one table for all",
    flavours: BOTH,
    presets: ALL,
    defects: [{ id: "D1a", flavours: ["tdp"] }],
  },
];

/** An error as the binding makes them. */
export function nativeError(code: string, message: string, values: Record<string, number> = {}): Error {
  return Object.assign(new Error(message), { code, errno: "", values });
}

function presetFor(text: string): NativePreset {
  const [word = "", rest = ""] = text.split(":");
  if (text === "none") return describe(text, "none", [], false);
  if (text === "tdx47") return describe(text, "private-shared", [47], false);
  if (text === "tdx51") return describe(text, "private-shared", [51], false);
  const bits = rest.split(",").map(Number);
  if (word === "xo" && rest !== "") return describe(text, "attribute", bits, true);
  if (word === "sev" && rest !== "") return describe(text, "stripped", bits, false);
  if (word !== "bits" || rest === "") throw nativeError("ERR_CONFIG", `there is no preset ${text}`);
  if (bits.length > 4) throw nativeError("ERR_CONFIG", `1 to 4 alias bits, got ${bits.length}`);
  const isRun = bits.every((bit, index) => bit === (bits[0] as number) + index);
  if (isRun) return describe(text, "attribute", bits, false);
  throw nativeError("ERR_CONFIG", `alias bits leave no gap, got ${rest}`);
}

function describe(
  preset: string,
  kind: NativePreset["kind"],
  bits: readonly number[],
  executeOnly: boolean,
): NativePreset {
  const [lowest = 0] = bits;
  const top = bits.at(-1);
  const aliases = Array.from({ length: 2 ** bits.length }, (_, alias) => alias * 2 ** lowest);
  const widths = top === undefined ? [0, 0] : [top + 1, top < 48 ? 4 : 5];
  const [addressBits = 0, rootLevel = 0] = widths;
  return { preset, kind, bits, addressBits, rootLevel, executeOnly, aliases };
}

function applicability({ strategy, mmu, preset, flushProvider, guestPaging }: NativeVmConfig): string {
  const { flavours = [], presets = [] } = STRATEGIES.find(({ name }) => name === strategy) ?? {};
  const { kind } = presetFor(preset);
  if (!flavours.includes(mmu)) return `${strategy} has no flavour ${mmu}`;
  if (strategy === "none") return "";
  if (kind === "none" || kind === "stripped") return "there is no alias";
  if (!presets.includes(kind)) return `${strategy} is not for this kind of preset`;
  if (guestPaging === "32" || guestPaging === "shadow-ept") return "alias bits need 64-bit guest paging";
  return strategy === "mirror" && flushProvider !== "none" ? "mirror refuses a provider" : "";
}

export const fakeEngine: ConfigEngine = {
  strategies: () => [...STRATEGIES],
  preset: presetFor,
  applicability,
};
