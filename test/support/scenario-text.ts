/** A scenario as a person reads it: what a failing test prints. */
import type { ReferenceEvent, Region } from "../oracle/reference/types.js";
import type { Scenario, SlotIntent, Step } from "./sequence.js";
import type { HostRequest } from "./sequence-host.js";

const hex = (value: number): string => `0x${value.toString(16)}`;
const RIGHTS = ["", "r", "w", "rw", "x", "rx", "wx", "rwx"];

export function scenarioText({ config, slots, steps }: Scenario): string {
  const head = `vm ${JSON.stringify(config)}`;
  const body = steps.map((step, i) => `${i}: ${stepText(step)}`);
  return [head, ...slots.map((slot) => `slot ${regionText(slot)}`), `${steps.length} steps`, ...body].join(
    "\n",
  );
}

export function stepText(step: Step): string {
  if (step.kind === "event") return eventText(step.event);
  if (step.kind === "memslot") return intentText(step.intent);
  if (step.kind === "log") return Object.values(step.request).join(" ");
  if (step.kind === "host") return hostText(step.request);
  return step.kind === "take-log" ? `take the log of slot ${hex(step.slot)}` : "compare";
}

function eventText({ kind, gpa, bytes, access, vcpu }: ReferenceEvent): string {
  if (kind === "access") return `access ${hex(gpa)} ${RIGHTS[access] ?? access} by vCPU ${vcpu}`;
  if (kind === "attributes") return `${access === 1 ? "private" : "shared"} ${hex(gpa)} + ${hex(bytes)}`;
  const by = vcpu === 0 ? "" : ` by vCPU ${vcpu}`;
  return bytes === 0 ? kind + by : `${kind} ${hex(gpa)} + ${hex(bytes)}${by}`;
}

function hostText(request: HostRequest): string {
  if (request.kind === "mmu-pages") return `at most ${request.pages} shadow pages`;
  const { hva, bytes, mapping } = request;
  return `host memory ${hex(hva)} + ${hex(bytes)}: ${mapping === undefined ? "as at first" : JSON.stringify(mapping)}`;
}

function intentText(intent: SlotIntent): string {
  if (intent.kind === "create") return `set slot ${regionText(intent.region)}`;
  if (intent.kind !== "move") return `${intent.kind} slot ${hex(intent.slot)}`;
  return `move slot ${hex(intent.slot)} to ${hex(intent.gpa)}${intent.togglesLog ? ", toggling its log" : ""}`;
}

function regionText({ slot, flags, gpa, bytes, hva, backing }: Region): string {
  return `${hex(slot)}: ${hex(gpa)} + ${hex(bytes)} at hva ${hex(hva)}, flags ${flags}, backing ${backing}`;
}
