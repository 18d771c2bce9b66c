/** `gpalias explain`: why a rule is one, who says so, and which strategies break it. */
import { type CommonOptions, defineCommand } from "../command.js";
import { EXIT } from "../exit-codes.js";
import { json } from "../output.js";

export default defineCommand<CommonOptions>({
  name: "explain",
  summary: "say what a rule or a known defect is about, why, and what to do next",
  arguments: [
    { syntax: "[id]", summary: "of a rule, as results name it, or of a defect (default: lists all)" },
  ],
  options: [{ flags: "--json", summary: "print the result as one JSON document" }],
  examples: [
    { line: "gpalias explain stale-translation", says: "what is lost, by KVM's word, and who loses it" },
    { line: "gpalias explain D1b", says: "which strategies have the defect, and how it is seen" },
  ],
  run: async ({ library, terminal }, [id], options) => {
    const { explain, renderExplanation } = await library();
    const found = explain(id);
    await terminal.print(options.json ? json(found) : renderExplanation(found, terminal));
    return EXIT.ok;
  },
});
