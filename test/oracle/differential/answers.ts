/** The model's answers as text. */
import type { ReferenceOutcome } from "../reference/types.js";

export function answerText(outcome: ReferenceOutcome): string {
  const { result, level, tablesRead, sptesChanged, flush, flushedPages } = outcome;
  const flushed = flush === "none" ? "" : `, ${flush} flush, ${flushedPages} pages`;
  return `${result}, level ${level}, ${tablesRead} tables read, ${sptesChanged} SPTEs changed${flushed}`;
}

export function logText(pages: readonly number[]): string {
  return `dirty pages ${pages.join(" ")}`;
}
