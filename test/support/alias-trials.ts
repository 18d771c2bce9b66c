/**
 * Captures under presets, projections, providers and TLBs: each a trial for
 * strategies to be compared in.
 *
 * The long run has all of them, and the whole storm. The default run lets
 * providers and TLBs take turns, has five levels once, and leaves out what
 * cannot flush: a capture without zaps and rounds has only conversions that
 * do, and those are for private memory.
 */
import type { Trace } from "../../lib/index.js";
import { keptTrace, pathOf, withRounds } from "./kept-trace.js";
import { isLongRun } from "./random.js";

export interface TrialCapture {
  readonly name: string;
  readonly open: () => Promise<Trace>;
  readonly hasBounce: boolean;
  /** Whether anything in it is zapped, or logged and taken. */
  readonly hasRounds: boolean;
  /** Whether it is long enough for one provider and TLB each to do. */
  readonly isLong?: boolean;
}

export interface Trial {
  readonly kind: "attribute" | "private-shared";
  readonly preset: string;
  readonly project: string | undefined;
  readonly provider: string;
  readonly tlb: boolean;
  readonly dirtyLog: "auto" | "on";
}

/** The highest that there is; none of them makes so many calls. */
const NEVER = 2 ** 32 - 1;
const PROVIDERS = ["none", "hyperv", `fail:${NEVER}`] as const;
type World = Pick<Trial, "provider" | "tlb">;
const WORLDS: readonly World[] = PROVIDERS.flatMap((provider) =>
  [true, false].map((tlb) => ({ provider, tlb })),
);
const ANYWHERE = [undefined, "range:0-256M", "fraction:0.3,7", "churn:3,1", "churn:1,5", "churn:64,9"];
const KINDS = {
  attribute: ["bits:47", "bits:46,47", "xo:47"],
  "private-shared": ["tdx47", "tdx51"],
} as const;

export function captures(): readonly TrialCapture[] {
  const [boot, bounce, head, storm] = [
    "boot-q35-2c-1g",
    "fs-bounce-pc-2c-4g",
    "storm-head-q35-2c-1g",
    "storm-q35-2c-1g",
  ].map(pathOf) as [string, string, string, string | undefined];
  const isWhole = isLongRun && storm !== undefined;
  if (isLongRun && storm === undefined) console.warn("SKIPPED: the whole storm is not beside the checkout");
  const plain = { hasBounce: false, hasRounds: false };
  const all: TrialCapture[] = [
    { ...plain, name: "storm-head", open: () => keptTrace(head), hasRounds: true },
    { ...plain, name: "boot", open: () => keptTrace(boot) },
    { ...plain, name: "boot with rounds", open: () => withRounds(boot), hasRounds: true },
    { name: "fs-bounce", open: () => keptTrace(bounce), hasBounce: true, hasRounds: false },
    { name: "fs-bounce with rounds", open: () => withRounds(bounce), hasBounce: true, hasRounds: true },
  ];
  if (!isWhole) return all;
  return [...all, { ...plain, name: "storm", open: () => keptTrace(storm), hasRounds: true, isLong: true }];
}

function projectionsOf(preset: string, { hasBounce }: TrialCapture): readonly (string | undefined)[] {
  if (preset.startsWith("xo:")) return [...ANYWHERE, "fetch"];
  return preset.startsWith("tdx") && hasBounce ? [...ANYWHERE, "bounce"] : ANYWHERE;
}

/** @param turn number of the capture; moves the providers and TLBs that the default run picks */
export function trialsOf(capture: TrialCapture, turn: number): readonly Trial[] {
  const all = Object.entries(KINDS) as [Trial["kind"], readonly string[]][];
  const kinds = all.filter(([kind]) => isLongRun || capture.hasRounds || kind !== "attribute");
  const takesTurns = !isLongRun || capture.isLong === true;
  const dirtyLog = capture.hasRounds ? "on" : "auto";
  return kinds.flatMap(([kind, presets]) =>
    presets
      .filter((preset) => isLongRun || turn === 0 || preset !== "tdx51")
      .flatMap((preset, p) =>
        projectionsOf(preset, capture).flatMap((project, at) => {
          const own = WORLDS[(turn + p + at) % WORLDS.length] as World;
          return (takesTurns ? [own] : WORLDS).map(
            (pick) => ({ kind, preset, project, dirtyLog, ...pick }) as const,
          );
        }),
      ),
  );
}

export const trialName = ({ preset, project = "as it is", provider, tlb }: Trial): string =>
  `${preset} ${project}, provider ${provider}, TLB ${tlb ? "on" : "off"}`;
