/**
 * Recorded text: `kvm_page_fault` lines among whatever else was traced.
 *
 * Native code decodes it; this file writes lines in the current layout (KVM:
 * trace event kvm_page_fault, v6.16) with placeholder task names. Operations
 * have no line in a tracefs file; they become comments, which a reader counts
 * and does not replay.
 */
import { type EventBatch, KIND } from "../../columns/event-batch.js";
import { EVENT_KINDS } from "../../columns/layout.js";
import { qualificationOf } from "../fault-code.js";
import { defineTraceFormat, type TraceEncoder } from "../trace-format.js";

const HEADER = `# tracer: nop
#
# Written by gpalias, not read from tracefs: TASK, PID and CPU# are placeholders,
# and operations of the VMM are lines that start with "# marker".
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
`;
/** Longer than any line: the widest fields, and some. */
const MAX_LINE_BYTES = 1024;
const FIRST_PID = 1000;

const encoder = (): TraceEncoder => ({
  maxBytes: MAX_LINE_BYTES,
  begin: (out, at) => at + out.write(HEADER, at, "latin1"),
  write: (batch, row, out, at) => at + out.write(lineOf(batch, row), at, "latin1"),
});

export default defineTraceFormat({
  name: "ftrace",
  summary: "text of tracefs, trace-cmd, perf or bpftrace with kvm_page_fault lines",
  suffixes: [".txt"],
  native: true,
  hasOperations: false,
  encoder,
});

function lineOf(batch: EventBatch, row: number): string {
  const seconds = (batch.time?.[row] ?? 0).toFixed(6);
  const kind = batch.kind[row] as number;
  if (kind !== KIND.access) return `# marker ${EVENT_KINDS[kind]} ${seconds}\n`;
  const vcpu = batch.vcpu[row] as number;
  const task = `CPU ${vcpu}/KVM-${FIRST_PID + vcpu}`.padStart(20).padEnd(24);
  const cpu = String(vcpu).padStart(3, "0");
  const gpa = hex(batch.gpa[row] as number).padStart(16, "0");
  const code = hex(qualificationOf(batch, row));
  const fields = `vcpu ${vcpu} rip 0x${ripOf(batch, row)} address 0x${gpa} error_code 0x${code}`;
  return `${task} [${cpu}] ..... ${seconds.padStart(12)}: kvm_page_fault: ${fields}\n`;
}

function ripOf(batch: EventBatch, row: number): string {
  const high = batch.ripHigh?.[row] ?? 0;
  const low = hex(batch.ripLow?.[row] ?? 0);
  return high === 0 ? low : hex(high) + low.padStart(8, "0");
}

function hex(value: number): string {
  return value.toString(16);
}
