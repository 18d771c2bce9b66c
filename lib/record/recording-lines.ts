/** The lines of one recorder or of all, as one types them. Nothing is run. */
import { expectInteger, expectKeys, expectOneOf } from "../expect.js";
import type { Recorder } from "./recorder.js";
import { recorders } from "./registry.js";

export interface RecordingOptions {
  /** `trace-cmd`, `perf`, `tracefs` or `bpftrace`. @default all of them */
  readonly tool?: string;
  /** Process of the VMM. @default every VM */
  readonly vm?: number;
  /** MiB of buffer on each CPU: 1 to 4096. @default 64 */
  readonly bufferMiB?: number;
}

const HIGHEST_PID = 2 ** 22;
const DEFAULT_MIB = 64;
const MOST_MIB = 4096;

/**
 * The exact lines that record a trace which gpalias can read whole, as text.
 *
 * @throws (rejects) TypeError or RangeError with code `ERR_CONFIG` for a bad option
 */
export async function recordingLines(options: RecordingOptions = {}): Promise<string> {
  expectKeys("recordingLines", options, ["tool", "vm", "bufferMiB"]);
  const { tool, vm, bufferMiB = DEFAULT_MIB } = options;
  const all = await recorders();
  const names = all.map(({ name }) => name);
  const chosen =
    tool === undefined ? all : [all[names.indexOf(expectOneOf("tool", tool, names))] as Recorder];
  const request = {
    vm: vm === undefined ? undefined : expectInteger("vm", vm, 1, HIGHEST_PID),
    bufferMiB: expectInteger("bufferMiB", bufferMiB, 1, MOST_MIB),
  };
  return [...chosen.map((recorder) => linesOf(recorder, request)), remarks(request.vm)].join("\n");
}

function linesOf(recorder: Recorder, request: Parameters<Recorder["steps"]>[0]): string {
  const steps = recorder.steps(request).map(({ says, lines }) => [`# ${says}`, ...lines].join("\n"));
  return `# ${recorder.name}: ${recorder.summary}\n${steps.join("\n")}\ngpalias inspect ${recorder.output}\n`;
}

// The mmu_notifier runs in whoever takes the memory: kswapd, khugepaged, ksmd.
function remarks(vm: number | undefined): string {
  const filtered =
    vm === undefined
      ? "# Events of all VMs of the host end up in one trace: stop the others, or say --vm PID."
      : "# With a filter the host's own threads are not seen: what kswapd, khugepaged or ksmd take from the guest is missing.";
  return `# As root. An event that the kernel lacks is refused: leave its line out (dirty rings came with 5.11).
# If events are lost, use a larger --buffer, fewer events, or a faster disk; gpalias says how many and where.
${filtered}
`;
}
