/** `gpalias verify`: the engine held to a real KVM, and a recording of one held to itself and to the engine. */
import { type Context, defineCommand } from "../command.js";
import { type ExitCode, UsageError } from "../exit-codes.js";
import { integerBetween } from "../numbers.js";
import { type KvmOptions, runVerifyKvm } from "../verify-kvm.js";
import { hostFacts, runVerifyTrace, SEVERITIES, type TraceOptions } from "../verify-trace.js";
import { runVerifyVectors } from "../verify-vectors.js";

const HIGHEST_SEED = 2 ** 32 - 1;
const MOST_CASES = 10_000_000;

export default defineCommand<KvmOptions & TraceOptions>({
  name: "verify",
  summary: "compare the engine with a real KVM: its recorded answers, its tracepoints, or this machine's own",
  arguments: [
    {
      syntax: "<what>",
      summary:
        '"vectors": recorded VMs and what was asked of them; "trace": what tracepoints printed; "kvm": random scripts, asked now',
    },
    {
      syntax: "[file...]",
      summary: "of vectors: JSON lines, as test/vectors/README.md describes them; of trace: one text",
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
    { flags: "--alias <preset>", summary: "of trace: which address bits pick an alias (default: none)" },
    { flags: "--no-model", summary: "of trace: hold it to itself alone" },
    {
      flags: "--host <facts>",
      summary: "of trace: what is not to be guessed, as in pml=on,maxphyaddr=46,release=6.1",
      parse: hostFacts,
    },
    {
      flags: "--fail-on <severity>",
      summary: "of trace: what ends with 1 (default: warning)",
      choices: SEVERITIES,
    },
    { flags: "--json", summary: "print the result as one JSON document" },
    { flags: "-q, --quiet", summary: "no progress and no remarks" },
  ],
  examples: [
    {
      line: "gpalias verify trace guest.trace.txt.gz",
      says: "do its zaps, leaves and requests fit together, and would the model have printed them?",
    },
    {
      line: "gpalias verify kvm --seed 7 --cases 2000",
      says: "this machine's KVM beside the engine; what differs first is made small and printed",
    },
  ],
  run: async (context, [what = "", ...files], options) => {
    const form = FORMS[what];
    if (form === undefined) throw new UsageError(`verify knows "vectors", "trace" and "kvm", got "${what}"`);
    expectFiles(what, files);
    expectOptions(what, options);
    return form(context, files, options);
  },
});

type Options = KvmOptions & TraceOptions;
type Form = (context: Context, files: readonly string[], options: Options) => Promise<ExitCode>;

const FORMS: Readonly<Record<string, Form>> = {
  vectors: runVerifyVectors,
  trace: (context, [file = ""], options) => runVerifyTrace(context, file, options),
  kvm: (context, _files, options) => runVerifyKvm(context, options),
};

const OWN_OPTIONS: Readonly<Record<string, readonly (keyof Options)[]>> = {
  trace: ["alias", "host", "failOn"],
  kvm: ["seed", "cases", "device"],
};

function expectFiles(what: string, files: readonly string[]): void {
  if (what === "kvm" && files.length > 0) throw new UsageError(`verify kvm reads no file, got "${files[0]}"`);
  if (what !== "kvm" && files.length === 0) throw new UsageError(`verify ${what} needs a file`);
  if (what === "trace" && files.length > 1)
    throw new UsageError(`verify trace takes one file, got "${files[1]}" too`);
}

function expectOptions(what: string, options: Options): void {
  for (const [form, own] of Object.entries(OWN_OPTIONS)) {
    const misplaced = own.find((name) => options[name] !== undefined);
    if (form === what || misplaced === undefined) continue;
    throw new UsageError(
      `--${misplaced === "failOn" ? "fail-on" : misplaced} is an option of verify ${form}`,
    );
  }
  if (what !== "trace" && options.model === false)
    throw new UsageError("--no-model is an option of verify trace");
}
