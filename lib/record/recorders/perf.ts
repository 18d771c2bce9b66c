/** perf: one file per recording. perf-record(1). */
import { ALL_EVENTS, MMU_SYSTEM } from "../events.js";
import { defineRecorder } from "../recorder.js";

export default defineRecorder({
  name: "perf",
  summary: "into perf.data, which gpalias reads through perf script",
  output: "perf.data",
  steps: ({ vm, bufferMiB }) => [
    {
      says: "record until Ctrl-C; -m is the buffer of each CPU, a power of two; -B -N leave out build ids, which are of no use here",
      lines: [
        `perf record ${vm === undefined ? "-a" : `-p ${vm}`} -m ${powerOfTwo(bufferMiB)}M -k CLOCK_MONOTONIC -B -N -o perf.data \\`,
        ...ALL_EVENTS.map((event) => `  -e ${event} \\`),
        `  -e '${MMU_SYSTEM}:*'`,
      ],
    },
    {
      says: "see whether events were lost: perf says so when it ends, and the file has a record for each gap",
      lines: ["perf script --show-lost-events -i perf.data | grep -c PERF_RECORD_LOST"],
    },
  ],
});

/** The next one up: perf refuses others. */
function powerOfTwo(mib: number): number {
  return 2 ** Math.ceil(Math.log2(mib));
}
