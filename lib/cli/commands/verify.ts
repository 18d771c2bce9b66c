/** `gpalias verify`: the engine held to what a real KVM answered. */
import { type CommonOptions, defineCommand } from "../command.js";
import { EXIT, UsageError } from "../exit-codes.js";
import { json } from "../output.js";
import { startProgress } from "../progress.js";

/** What can be verified. */
const SUBJECT = "vectors";
/** Vectors between two looks at the clock of the progress line. */
const STRIDE = 50;

export default defineCommand<CommonOptions>({
  name: "verify",
  summary: "compare the engine with answers that a real KVM gave",
  arguments: [
    { syntax: "<what>", summary: `"${SUBJECT}": recorded VMs and what was asked of them` },
    { syntax: "<file...>", summary: "JSON lines, plain or gzip, as test/vectors/README.md describes them" },
  ],
  options: [
    { flags: "--json", summary: "print the result as one JSON document" },
    { flags: "-q, --quiet", summary: "no progress and no remarks" },
  ],
  examples: [
    {
      line: "gpalias verify vectors test/vectors/memslots.jsonl.gz",
      says: "3,000 VMs, every errno, flush, bitmap and ring",
    },
    {
      line: "gpalias verify vectors mine.jsonl --json | jq .firstFailures",
      says: "where the engine differs first, with what was asked",
    },
  ],
  run: async ({ library, signal, terminal }, [what, ...files], options) => {
    if (what !== SUBJECT) throw new UsageError(`verify knows "${SUBJECT}", got "${what}"`);
    const { renderVerification, verifyVectors } = await library();
    const { quiet } = options;
    const progress = await startProgress(terminal, "verifying", { quiet, unit: "vectors" });
    const onProgress = (cases: number) => {
      if (cases % STRIDE === 0) progress.update(cases, undefined);
    };
    const result = await verifyVectors(files, { signal, onProgress }).finally(() => progress.stop());
    await terminal.print(options.json ? json(result) : renderVerification(result, terminal));
    if (result.failed > 0) return EXIT.failed;
    if (result.cases > result.skipped) return EXIT.ok;
    if (!quiet) {
      const reason = result.cases === 0 ? "no file has a vector" : "no vector is of a known kind";
      terminal.say(`gpalias: nothing was verified: ${reason} (exit ${EXIT.unsupported})`);
    }
    return EXIT.unsupported;
  },
});
