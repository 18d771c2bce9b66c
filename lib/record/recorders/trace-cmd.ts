/** trace-cmd: one file per recording, buffers drained while it runs. trace-cmd-record(1). */
import { ALL_EVENTS, MMU_SYSTEM } from "../events.js";
import { defineRecorder } from "../recorder.js";

const KIB_PER_MIB = 1024;

export default defineRecorder({
  name: "trace-cmd",
  summary: "into trace.dat, which gpalias reads through trace-cmd report",
  output: "trace.dat",
  steps: ({ vm, bufferMiB }) => [
    {
      says: `record until Ctrl-C; -b is KiB on each CPU, -C mono a clock that all CPUs share${
        vm === undefined ? "" : "; -P the threads of the VM"
      }`,
      lines: [
        `trace-cmd record -b ${bufferMiB * KIB_PER_MIB} -C mono -o trace.dat \\`,
        ...(vm === undefined ? [] : [`  -P "$(ls /proc/${vm}/task | paste -sd,)" -c \\`]),
        ...ALL_EVENTS.map((event) => `  -e ${event} \\`),
        `  -e ${MMU_SYSTEM}`,
      ],
    },
    {
      says: "see whether events were lost: trace-cmd sums up each CPU when it ends (overrun, dropped events), and the report has lines",
      lines: ["trace-cmd report -t -i trace.dat | grep -c -e 'EVENTS DROPPED' -e LOST"],
    },
  ],
});
