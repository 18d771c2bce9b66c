/**
 * bpftrace: faults alone, where the events of the MMU would be too many. Its
 * line is the one that gpalias knows; fields of the event as of 6.1.
 */
import { defineRecorder } from "../recorder.js";

const PAGES_PER_MIB = 256;
const FORMAT = "kvm_page_fault: vcpu %d rip 0x%lx address 0x%016llx error_code 0x%llx time %llu\\n";
const FIELDS = "args->vcpu_id, args->guest_rip, args->fault_address, args->error_code, nsecs";

export default defineRecorder({
  name: "bpftrace",
  summary: "faults alone into JSON lines, on a host where more would be too much; Linux 6.1 or newer",
  output: "trace.json.gz",
  steps: ({ vm, bufferMiB }) => [
    {
      says: "record until Ctrl-C; the buffer is in pages of 4K on each CPU",
      lines: [
        `BPFTRACE_PERF_RB_PAGES=${bufferMiB * PAGES_PER_MIB} bpftrace -f json -e '`,
        `tracepoint:kvm:kvm_page_fault${vm === undefined ? "" : ` /pid == ${vm}/`} {`,
        `  printf("${FORMAT}",`,
        `    ${FIELDS});`,
        "}' | gzip > trace.json.gz",
      ],
    },
    {
      says: "see whether events were lost",
      lines: ["zcat trace.json.gz | grep -c lost_events"],
    },
  ],
});
