/** What a decoder concluded about a trace's vendor, in the form that every guess has. */
import type { Guess } from "./infer-memslots.js";
import type { TraceTotals } from "./trace-format.js";

/** What was concluded about the vendor; nothing if it was said, or if the format needs none. */
export function vendorGuesses({ vendor: { name, confidence, why } }: TraceTotals): readonly Guess[] {
  return name === "" || confidence === 1 ? [] : [{ what: "vendor", value: name, confidence, why }];
}
