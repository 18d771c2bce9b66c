/** The engine's answers as the text that the model's have. */
import type { Outcome } from "../../../lib/index.js";
import type { ReferenceOutcome } from "../reference/types.js";
import { answerText } from "./answers.js";
import { flushedBy } from "./vm-surface.js";

const LEVELS = [undefined, "4K", "2M", "1G"];

export function outcomeText(outcome: Outcome): string {
  const { pageSize, tablesRead, sptesChanged } = outcome;
  const result = outcome.result as ReferenceOutcome["result"];
  const level = LEVELS.indexOf(pageSize);
  return answerText({ result, level, tablesRead, sptesChanged, ...flushedBy(outcome) });
}
