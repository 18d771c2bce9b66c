/** What a decoder concluded besides the events, in the form that every guess has. */
import type { Guess } from "./infer-memslots.js";
import type { TraceTotals } from "./trace-format.js";

const PAGE_SIZES = ["", "4K", "2M", "1G"];
/** Entries of a table that nobody touched are not printed, and one that was is at most a level off. */
const TOP_LEVEL_CONFIDENCE = 0.9;

/** Whose error codes, how many levels, which page sizes: each where the recording shows it and nobody said it. */
export function learntGuesses(totals: TraceTotals): readonly Guess[] {
  return [...vendorGuess(totals), ...levelGuess(totals), ...pageGuess(totals)];
}

function vendorGuess({ vendor: { name, confidence, why } }: TraceTotals): Guess[] {
  return name === "" || confidence === 1 ? [] : [{ what: "vendor", value: name, confidence, why }];
}

function levelGuess({ topLevel }: TraceTotals): Guess[] {
  if (topLevel < 4) return [];
  const why = `entries of level ${topLevel} changed, which only a root of as many levels has; --root-level says another`;
  return [{ what: "levels", value: topLevel, confidence: TOP_LEVEL_CONFIDENCE, why }];
}

function pageGuess({ mappedLevels }: TraceTotals): Guess[] {
  const total = mappedLevels.reduce((sum, count) => sum + count, 0);
  const sizes = mappedLevels.flatMap((count, level) =>
    count > 0 ? [`${count} ${PAGE_SIZES[level] ?? `level ${level}`}`] : [],
  );
  if (total === 0) return [];
  const why = `so ${total} recorded faults were mapped; a replay maps 4K unless --backing says otherwise`;
  return [{ what: "page sizes", value: sizes.join(", "), confidence: 1, why }];
}
