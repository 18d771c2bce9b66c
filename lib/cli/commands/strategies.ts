/** `gpalias strategies`: the ways of treating alias bits that are modelled. */
import { type CommonOptions, defineCommand } from "../command.js";
import { EXIT } from "../exit-codes.js";
import { json } from "../output.js";

export default defineCommand<CommonOptions>({
  name: "strategies",
  summary: "list the alias strategies, what they run under and what is known of them",
  arguments: [],
  options: [{ flags: "--json", summary: "print the result as one JSON document" }],
  examples: [
    { line: "gpalias strategies", says: "name, flavours, presets and known defects of each" },
    { line: "gpalias strategies --json | jq -r '.strategies[].name'", says: "the names alone" },
  ],
  run: async ({ library, terminal }, _args, options) => {
    const { renderStrategies, strategies } = await library();
    const list = { schemaVersion: 1, strategies: strategies() } as const;
    await terminal.print(options.json ? json(list) : renderStrategies(list, terminal));
    return EXIT.ok;
  },
});
