/** `gpalias doctor`: whether this machine has what gpalias needs. */
import { type CommonOptions, defineCommand } from "../command.js";
import { diagnose } from "../diagnosis.js";
import { EXIT } from "../exit-codes.js";
import { json } from "../output.js";

export default defineCommand<CommonOptions>({
  name: "doctor",
  summary: "check this machine and the build, and say what to do",
  arguments: [],
  options: [{ flags: "--json", summary: "print the result as one JSON document" }],
  examples: [
    { line: "gpalias doctor", says: "one line a finding, and what to do about it" },
    { line: "gpalias doctor --json", says: "the same, to attach to a report" },
  ],
  run: async (context, _args, options) => {
    const { terminal } = context;
    const library = await context.library();
    const diagnosis = await diagnose(library);
    await terminal.print(options.json ? json(diagnosis) : library.renderDiagnosis(diagnosis, terminal));
    return diagnosis.ok ? EXIT.ok : EXIT.unsupported;
  },
});
