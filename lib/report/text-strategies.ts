/** The alias strategies that there are, as data and as text for a person. */
import type { NativeStrategy } from "../native/addon-types.js";
import { joined, labelled, listed, newPage, type TextOptions } from "./text-layout.js";

/** What `gpalias strategies --json` prints. */
export interface StrategyList {
  readonly schemaVersion: 1;
  readonly strategies: readonly NativeStrategy[];
}

/** Text of at most `columns` columns, except for words that are longer than a line. */
export function renderStrategies({ strategies }: StrategyList, options: TextOptions = {}): string {
  const page = newPage(options);
  return joined(
    strategies.map(({ name, summary, flavours, presets, defects }) => [
      page.paint("bold", name),
      ...labelled(page, "what", summary),
      ...labelled(page, "flavours", flavours.join(", ")),
      ...labelled(page, "presets", presets.join(", ")),
      ...labelled(page, "defects", defectText(defects)),
    ]),
  );
}

function defectText(defects: NativeStrategy["defects"]): string {
  if (defects.length === 0) return "none known";
  return listed(defects.map(({ id, flavours }) => [id, `(${flavours.join(" and ")})`]));
}
