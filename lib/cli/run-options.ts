/**
 * Options that say what VM a trace is given: those that `replay` and `compare`
 * have in common, and their way into the library's words.
 *
 * Checks nothing itself but the form of numbers; what the library refuses is
 * said in the words that were typed.
 */
import type { PageSize, PlanOptions, VmConfig } from "../index.js";
import type { CommonOptions, Context, OptionDefinition } from "./command.js";
import { FileError, isConfigError, UsageError } from "./exit-codes.js";
import { integerBetween } from "./numbers.js";
import { type LossyOptions, lossyOption, type TraceOptions, vendorOption } from "./trace-options.js";

export interface RunOptions extends CommonOptions, TraceOptions, LossyOptions {
  readonly memslots: string;
  readonly dirtyLog: "auto" | "on" | "off";
  readonly backing: PageSize;
  readonly vcpus?: number;
  readonly addressBits?: number;
  readonly rootLevel?: 4 | 5;
  readonly alias: string;
  readonly strategy?: readonly string[];
  readonly mmu?: "tdp" | "rmap";
  readonly project?: string;
  readonly flushProvider: string;
  readonly tlb?: NonNullable<VmConfig["tlb"]>;
  readonly internalSlots?: true;
  readonly guestPaging: NonNullable<VmConfig["guestPaging"]>;
  readonly externalTables: string;
  readonly convertOnExit?: true;
  readonly kernel: NonNullable<VmConfig["kernel"]>;
  readonly host?: NonNullable<VmConfig["host"]>;
  readonly audit?: number;
  readonly failOn?: readonly string[];
  readonly report?: readonly ReportTarget[];
  readonly batch?: number;
  readonly threads?: number;
  readonly output?: string;
  readonly hash: boolean;
}

const machine: readonly OptionDefinition[] = [
  {
    flags: "--memslots <file>",
    summary:
      "the guest's memory: a capture's .json or an array of {slot, gpa, size, flags}; " +
      "auto looks beside the trace, then at its addresses",
    default: "auto",
  },
  {
    flags: "--dirty-log <when>",
    summary: "log dirty pages of writable slots; auto: if the trace has rounds",
    default: "auto",
    choices: ["auto", "on", "off"],
  },
  {
    flags: "--backing <size>",
    summary: "largest page that the host maps guest memory with",
    default: "4K",
    choices: ["4K", "2M", "1G"],
  },
  vendorOption,
  { flags: "--vcpus <n>", summary: "vCPUs of the VM", parse: integerBetween(1, 65_536) },
  {
    flags: "--address-bits <n>",
    summary: "width of a guest-physical address (default: 48, or 52 if the trace needs it)",
    parse: integerBetween(32, 52),
  },
  {
    flags: "--root-level <n>",
    summary: "levels of the page tables (default: 4 up to 48 bits, else 5)",
    parse: integerBetween(4, 5),
  },
  {
    flags: "--kernel <release>",
    summary: "whose KVM is modelled",
    default: "6.16",
    choices: ["6.16", "5.10", "pvm-6.18"],
  },
  {
    flags: "--host <settings>",
    summary:
      "how the host is set up, as name[=value],...: vendor=amd, adBits=off, pml, nxHugePages, eagerPageSplit=off, " +
      "mmioCaching=off, l1tf, memoryTypes, slotZapAll=off, asyncPageFaults, apicv=off",
    parse: hostIn,
  },
];

const aliasing: readonly OptionDefinition[] = [
  {
    flags: "--project <how>",
    summary:
      "how accesses go to aliases: as-recorded, home, bounce, fetch, range:<start>-<end>, fraction:<p>,<seed>, " +
      "churn:<n>,<seed> (default: home where memory is private or shared, else as-recorded)",
  },
  {
    flags: "--flush-provider <who>",
    summary: "who flushes TLB ranges for KVM: none, hyperv, fail:<k> for one that fails every k-th time",
    default: "none",
  },
  {
    flags: "--tlb [size]",
    summary:
      "model each vCPU's TLB: 1536 entries of 4K in 12 ways, or entries,ways of them, or that of a real part: " +
      "skylake-server, ice-lake-server, sapphire-rapids, zen3, zen4 (default: off)",
    parse: tlbIn,
  },
  { flags: "--internal-slots", summary: "give the VM KVM's own slots: TSS, identity map, APIC access" },
  {
    flags: "--guest-paging <mode>",
    summary: "paging of the guest itself; alias bits need long or pae",
    default: "long",
    choices: ["long", "pae", "32", "shadow-ept"],
  },
  {
    flags: "--external-tables <how>",
    summary: "the other side of mirrored tables: ok, busy:<k>, fail:<k> for every k-th time",
    default: "ok",
  },
  { flags: "--convert-on-exit", summary: "answer memory faults as a VMM would: convert, try again" },
];

const aliasOption: OptionDefinition = {
  flags: "--alias <preset>",
  summary:
    "which address bits are alias bits: none, tdx47, tdx51, xo:<bit>, sev:<bit>, hyperv:<bit>, " +
    "vtom:<address>, cca:<ipa bits>, bits:<b>[,<b>...]",
  default: "none",
};

const auditOption: OptionDefinition = {
  flags: "--audit <n>",
  summary: "check the whole state after every n events and at the end; 0: only at the end (default: never)",
  parse: integerBetween(0, Number.MAX_SAFE_INTEGER),
};

const results: readonly OptionDefinition[] = [
  {
    flags: "--fail-on <rules>",
    summary: "exit 1 if one of these rules, separated by commas, was broken; any: if any was",
    parse: listIn,
  },
  {
    flags: "--report <form=file>",
    summary: "write a report for a build server there too, as junit=FILE or ktap=FILE; may be repeated",
    parse: reportIn,
    repeats: true,
  },
  {
    flags: "--batch <n>",
    summary: "events per batch; changes the speed, never the result",
    parse: integerBetween(1, 2 ** 24),
  },
  {
    flags: "--threads <n>",
    summary: "threads at work at once; changes the speed, never the result (default: one for each core)",
    parse: integerBetween(1, 256),
  },
  lossyOption,
  { flags: "--no-hash", summary: "leave out the trace's SHA-256" },
  { flags: "--json", summary: "print the result as one JSON document" },
  { flags: "-o, --output <file>", summary: "write the result there, whole or not at all" },
  { flags: "-q, --quiet", summary: "no progress and no remarks on stderr" },
  { flags: "-v, --verbose", summary: "say on stderr what the VM is given" },
];

/** Options that say what VM a trace is given, but not which run. */
export function vmOptions(): readonly OptionDefinition[] {
  return [...machine, aliasOption, ...aliasing, auditOption];
}

/** The options of a command that runs a trace; which strategies it takes is its own. */
export function runOptions(strategy: OptionDefinition, mmu: OptionDefinition): readonly OptionDefinition[] {
  return [...machine, aliasOption, strategy, mmu, ...aliasing, auditOption, ...results];
}

/** What one `--report` asks for. */
export interface ReportTarget {
  readonly format: string;
  readonly path: string;
}

/** `junit=FILE`. */
function reportIn(text: string): ReportTarget {
  const at = text.indexOf("=");
  const [format, path] = [text.slice(0, at), text.slice(at + 1)];
  if (at > 0 && path !== "" && path !== "-") return { format, path };
  throw new RangeError("expected a form and a file, as in junit=FILE");
}

/** `a,b` as a list. */
export function listIn(text: string): readonly string[] {
  const items = text.split(",").map((item) => item.trim());
  if (items.every((item) => item !== "")) return items;
  throw new RangeError("expected names separated by commas");
}

const SWITCHES: Readonly<Record<string, boolean>> = { on: true, off: false, true: true, false: false };

function hostIn(text: string): NonNullable<VmConfig["host"]> {
  const settings = listIn(text).map((item) => {
    const [name = "", value = "on"] = item.split("=", 2);
    return [name, SWITCHES[value] ?? value];
  });
  return Object.fromEntries(settings) as NonNullable<VmConfig["host"]>;
}

// A word is a preset's name; which there are is the library's knowledge.
function tlbIn(text: string): RunOptions["tlb"] {
  if (/^[a-z][a-z0-9-]*$/i.test(text)) return text;
  const [entries = Number.NaN, ways, ...rest] = text
    .split(",")
    .map((part) => (part === "" ? Number.NaN : Number(part)));
  const isNumbers = [entries, ways ?? 1].every(Number.isInteger) && rest.length === 0;
  if (!isNumbers) throw new RangeError("expected a number of entries, or entries,ways, or a preset's name");
  return { entries, ...(ways !== undefined && { ways }) };
}

/** Whether the trace has to be looked at before it is run, so that a stream must be kept. */
export function looksFirst(options: RunOptions): boolean {
  const { memslots, dirtyLog, alias, project, tlb, vcpus } = options;
  if (memslots === "auto" || dirtyLog === "auto") return true;
  return (alias !== "none" && project === undefined) || (tlb !== undefined && vcpus === undefined);
}

/** What is asked of the VM. Which strategy is the command's business. */
export function vmConfigOf(options: RunOptions): VmConfig {
  const { vcpus, addressBits, rootLevel, alias, mmu, flushProvider, tlb } = options;
  return {
    alias: { preset: alias },
    flushProvider,
    guestPaging: options.guestPaging,
    externalTables: options.externalTables,
    internalSlots: options.internalSlots === true,
    convertOnExit: options.convertOnExit === true,
    kernel: options.kernel,
    ...(options.host !== undefined && { host: options.host }),
    ...(mmu !== undefined && { mmu }),
    ...(tlb !== undefined && { tlb }),
    ...(vcpus !== undefined && { vcpus }),
    ...(addressBits !== undefined && { addressBits }),
    ...(rootLevel !== undefined && { rootLevel }),
  };
}

/** What is asked of a plan for this VM. */
export async function planOptionsOf(
  context: Context,
  options: RunOptions,
  config: VmConfig,
): Promise<PlanOptions> {
  const { dirtyLog, backing, project } = options;
  const memslots = await memslotsOf(context, options.memslots);
  const asked = { memslots, dirtyLog, backing, config, signal: context.signal };
  return project === undefined ? asked : { ...asked, project };
}

/** A mistake in the file is bad input, not a mistake in the command line. */
async function memslotsOf(context: Context, path: string): Promise<NonNullable<PlanOptions["memslots"]>> {
  if (path === "auto") return path;
  const { readMemslots } = await context.library();
  try {
    return await readMemslots(path);
  } catch (error) {
    throw isConfigError(error) ? new FileError(error.message, { cause: error }) : error;
  }
}

/** The library's names of options, as they are typed. */
const FLAGS: Readonly<Record<string, string>> = {
  vcpus: "--vcpus",
  strategies: "--strategy",
  mmu: "--mmu",
  tlb: "--tlb",
  project: "--project",
  "alias.preset": "--alias",
  "alias.strategy": "--strategy",
  "tlb.entries": "--tlb entries",
  "tlb.ways": "--tlb ways",
  addressBits: "--address-bits",
  rootLevel: "--root-level",
  flushProvider: "--flush-provider",
  guestPaging: "--guest-paging",
  externalTables: "--external-tables",
  host: "--host",
};
/** Names that are ordinary words too stand for an option only in front of the sentence. */
const ORDINARY = /^(vcpus|strategies|mmu|tlb|project)\b(?!\.)/;
const TECHNICAL = /\b(alias\.\w+|tlb\.\w+|addressBits|rootLevel|flushProvider|guestPaging|externalTables)\b/g;

/** Where the library speaks of its option `vcpus`, the user has typed --vcpus. */
export async function inWordsOfOptions<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isConfigError(error)) throw error;
    const flag = (name: string) => FLAGS[name] ?? name;
    const message = error.message.replace(ORDINARY, flag).replace(TECHNICAL, flag);
    throw message === error.message ? error : new UsageError(message, { cause: error });
  }
}
