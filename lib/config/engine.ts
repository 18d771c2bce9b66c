/**
 * What the engine has to say about a configuration: which strategies there
 * are, what a preset fixes, and which combinations it can make.
 *
 * It carries questions and answers to and fro; the knowledge is the engine's.
 */

import { attempt, MmuError } from "../errors.js";
import { expectOneOf, outOfRange, show, wrongType } from "../expect.js";
import type { NativeAddon, NativePreset, NativeVmConfig } from "../native/addon-types.js";
import { arraysOf } from "./tlb.js";
import type { ResolvedVmConfig, TlbPageSize } from "./types.js";

/** The part of the addon that knows about configurations. */
export type ConfigEngine = Pick<NativeAddon, "strategies" | "preset" | "applicability">;

export function strategyOf(engine: ConfigEngine, value: unknown): string {
  const names = engine.strategies().map(({ name }) => name);
  return expectOneOf("alias.strategy", value ?? "none", names);
}

/**
 * What a preset's text stands for.
 *
 * @throws TypeError or RangeError with code `ERR_CONFIG` for what is no preset
 */
export function presetOf(engine: ConfigEngine, value: unknown): NativePreset {
  const text = value ?? "none";
  if (typeof text !== "string") throw wrongType("alias.preset", "a string", text);
  try {
    return attempt(() => engine.preset(text));
  } catch (error) {
    if (!(error instanceof MmuError) || error.code !== "ERR_CONFIG") throw error;
    const sentence = `alias.preset ${show(text)}: ${error.message}`;
    throw Object.assign(new RangeError(sentence, { cause: error }), { code: "ERR_CONFIG" as const });
  }
}

/** A width that a preset may have fixed: `asked` must agree with it. */
export function fixedBy(
  { preset }: NativePreset,
  option: "addressBits" | "rootLevel",
  fixed: number,
  asked: unknown,
): unknown {
  if (fixed === 0 || asked === undefined || asked === fixed) return fixed === 0 ? asked : fixed;
  throw outOfRange(option, `${fixed}, as alias.preset ${show(preset)} fixes it`, asked);
}

/** @throws MmuError `ERR_UNSUPPORTED` with the engine's reason if it cannot make such a VM */
export function expectApplicable(engine: ConfigEngine, config: ResolvedVmConfig): void {
  const reason = inapplicable(engine, config);
  if (reason === undefined) return;
  const { alias, mmu } = config;
  const message = `${alias.strategy}/${mmu} with alias preset ${show(alias.preset)} is not supported: ${reason}`;
  throw new MmuError("ERR_UNSUPPORTED", message, { errno: "EOPNOTSUPP" });
}

/** Why the engine cannot make such a VM; undefined if it can. */
export function inapplicable(engine: ConfigEngine, config: ResolvedVmConfig): string | undefined {
  const reason = attempt(() => engine.applicability(nativeConfigOf(config)));
  return reason === "" ? undefined : reason;
}

/** The configuration as the addon takes it. */
export function nativeConfigOf({ alias, tlb, ...others }: ResolvedVmConfig): NativeVmConfig {
  const { arrays, pagingStructureCaches } = arraysOf(tlb);
  const inBits = arrays.map(({ sizes, ...size }) => ({ ...size, sizes: bitsOf(sizes) }));
  return { ...others, ...alias, tlb: { arrays: inBits, pagingStructureCaches } };
}

const SIZE_BITS: Readonly<Record<TlbPageSize, number>> = { "4K": 1, "2M": 2, "1G": 4 };

function bitsOf(sizes: readonly TlbPageSize[]): number {
  return sizes.reduce((bits, size) => bits | SIZE_BITS[size], 0);
}
