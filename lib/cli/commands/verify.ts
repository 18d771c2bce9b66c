/** `gpalias verify`: the engine held to a real KVM, to one that was recorded or to the machine's own. */
import { defineCommand } from "../command.js";
import { UsageError } from "../exit-codes.js";
import { integerBetween } from "../numbers.js";
import { type KvmOptions, runVerifyKvm } from "../verify-kvm.js";
import { runVerifyVectors } from "../verify-vectors.js";

const HIGHEST_SEED = 2 ** 32 - 1;
const MOST_CASES = 10_000_000;

export default defineCommand<KvmOptions>({
  name: "verify",
  summary: "compare the engine with a real KVM: its recorded answers, or this machine's own",
  arguments: [
    {
      syntax: "<what>",
      summary: '"vectors": recorded VMs and what was asked of them; "kvm": random scripts, asked now',
    },
    {
      syntax: "[file...]",
      summary: "of vectors: JSON lines, plain or gzip, as test/vectors/README.md describes them",
    },
  ],
  options: [
    {
      flags: "--seed <n>",
      summary: "of kvm: which scripts (default: 1)",
      parse: integerBetween(0, HIGHEST_SEED),
    },
    {
      flags: "--cases <n>",
      summary: "of kvm: how many scripts (default: 1000)",
      parse: integerBetween(1, MOST_CASES),
    },
    { flags: "--device <path>", summary: "of kvm: the device to ask (default: /dev/kvm)" },
    { flags: "--json", summary: "print the result as one JSON document" },
    { flags: "-q, --quiet", summary: "no progress and no remarks" },
  ],
  examples: [
    {
      line: "gpalias verify vectors test/vectors/memslots.jsonl.gz",
      says: "3,000 VMs, every errno, flush, bitmap and ring",
    },
    {
      line: "gpalias verify kvm --seed 7 --cases 2000",
      says: "this machine's KVM beside the engine; what differs first is made small and printed",
    },
  ],
  run: async (context, [what, ...files], options) => {
    if (what === "kvm") {
      if (files.length > 0) throw new UsageError(`verify kvm reads no file, got "${files[0]}"`);
      return runVerifyKvm(context, options);
    }
    if (what !== "vectors") throw new UsageError(`verify knows "vectors" and "kvm", got "${what}"`);
    if (files.length === 0) throw new UsageError("verify vectors needs a file");
    const misplaced = (["seed", "cases", "device"] as const).find((name) => options[name] !== undefined);
    if (misplaced !== undefined) throw new UsageError(`--${misplaced} is an option of verify kvm`);
    return runVerifyVectors(context, files, options);
  },
});
