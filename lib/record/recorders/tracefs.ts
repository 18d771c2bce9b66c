/** tracefs: nothing to install. An instance of its own leaves other tracing alone. */
import { ALL_EVENTS, MMU_SYSTEM } from "../events.js";
import { defineRecorder } from "../recorder.js";

const KIB_PER_MIB = 1024;
const FOLDER = "/sys/kernel/tracing/instances/gpalias";

export default defineRecorder({
  name: "tracefs",
  summary: "into compressed text, with nothing but a shell",
  output: "/tmp/trace.txt.gz",
  steps: ({ vm, bufferMiB }) => [
    {
      says: "make an instance of tracing; buffer_size_kb is for each CPU, mono a clock that all CPUs share",
      lines: [
        `mkdir ${FOLDER} && cd ${FOLDER}`,
        `echo ${bufferMiB * KIB_PER_MIB} > buffer_size_kb`,
        "echo mono > trace_clock",
        ...(vm === undefined ? [] : [`ls /proc/${vm}/task > set_event_pid`, "echo 1 > options/event-fork"]),
        // A kernel without one of them refuses it alone.
        ...ALL_EVENTS.map((event) => `echo ${event} >> set_event`),
        `echo 1 > events/${MMU_SYSTEM}/enable`,
      ],
    },
    { says: "record until Ctrl-C", lines: ["cat trace_pipe | gzip > /tmp/trace.txt.gz"] },
    {
      says: "see whether events were lost, then take the instance away",
      lines: [
        "grep -H -e overrun -e 'dropped events' per_cpu/cpu*/stats",
        "echo 0 > events/enable",
        `cd / && rmdir ${FOLDER}`,
      ],
    },
  ],
});
