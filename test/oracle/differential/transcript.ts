/**
 * A scenario played by the reference model: exact requests and the answer that
 * each must get. Whoever plays it next needs no model.
 */
import type { Scenario, SlotIntent, Step } from "../../support/sequence.js";
import type { HostRequest } from "../../support/sequence-host.js";
import type { Slot } from "../reference/memslots.js";
import {
  GUEST_MEMFD,
  LOG_DIRTY,
  READONLY,
  type ReferenceEvent,
  Refusal,
  type Region,
} from "../reference/types.js";
import { ReferenceMmu } from "../reference-mmu.js";
import { answerText, logText } from "./answers.js";
import { answerToHost } from "./host-requests.js";
import { answerToLog, type ExactLogRequest, exactly } from "./log-requests.js";
import { type Snapshot, snapshotOfReference } from "./snapshot.js";

export type Request =
  | { readonly kind: "event"; readonly event: ReferenceEvent }
  | { readonly kind: "set"; readonly region: Region }
  | { readonly kind: "take-log"; readonly slot: number }
  | { readonly kind: "log"; readonly request: ExactLogRequest }
  | { readonly kind: "host"; readonly request: HostRequest }
  | { readonly kind: "compare"; readonly probes: readonly number[] };

/** A text, or for `compare` a snapshot. */
export type Answer = string | Snapshot;

export interface Exchange {
  readonly request: Request;
  readonly answer: Answer;
  /** Where in the scenario it comes from; slots before the first step have none. */
  readonly step: number | undefined;
}

export interface Transcript {
  readonly exchanges: readonly Exchange[];
  /** As the scenario left it. */
  readonly model: ReferenceMmu;
}

const PROBES = 4;

export function transcribe({ config, slots, steps }: Scenario): Transcript {
  const model = new ReferenceMmu(config);
  const exchanges: Exchange[] = [];
  const probes: number[] = [];
  const play = (request: Request, step?: number): void => {
    if (request.kind === "event" && request.event.kind === "access") probes.push(request.event.gpa);
    exchanges.push({ request, answer: answerOf(model, request), step });
  };
  const compare = (step?: number): void => play({ kind: "compare", probes: probes.slice(-PROBES) }, step);

  for (const region of slots) play({ kind: "set", region });
  steps.forEach((step, i) => {
    if (step.kind === "compare") compare(i);
    else play(requestFor(step, model), i);
  });
  compare(steps.length);
  // Taking a log changes entries, so every log is taken and the whole is looked at again.
  for (const { slot } of model.slots()) play({ kind: "take-log", slot }, steps.length);
  compare(steps.length);
  return { exchanges, model };
}

function answerOf(model: ReferenceMmu, request: Request): Answer {
  if (request.kind === "compare") return snapshotOfReference(model, request.probes);
  try {
    if (request.kind === "event") return answerText(model.apply(request.event));
    if (request.kind === "set") return answerText(model.setMemslot(request.region));
    if (request.kind === "log") return answerToLog(model, request.request);
    if (request.kind === "host") return answerToHost(model, request.request);
    return logText(model.takeDirtyLog(request.slot).pages);
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

function requestFor(step: Exclude<Step, { kind: "compare" }>, model: ReferenceMmu): Request {
  if (step.kind === "log") return { kind: "log", request: exactly(step.request, model) };
  if (step.kind !== "memslot") return step;
  return { kind: "set", region: regionFor(step.intent, model) };
}

function regionFor(intent: SlotIntent, model: ReferenceMmu): Region {
  if (intent.kind === "create") return intent.region;
  const slot = model.slot(intent.slot);
  const region = slot === undefined ? missing(intent.slot) : regionOf(slot);
  switch (intent.kind) {
    case "delete":
      return { ...region, bytes: 0 };
    case "toggle-log":
      return { ...region, flags: toggled(region.flags, LOG_DIRTY) };
    case "toggle-readonly":
      return { ...region, flags: toggled(region.flags, READONLY) };
    case "grow":
      return { ...region, bytes: region.bytes + 4096 };
    case "move": {
      const flags = intent.togglesLog ? toggled(region.flags, LOG_DIRTY) : region.flags;
      return { ...region, gpa: intent.gpa, flags };
    }
    default:
      return region;
  }
}

function toggled(flags: number, flag: number): number {
  return Math.floor(flags / flag) % 2 === 1 ? flags - flag : flags + flag;
}

function regionOf({ slot, base, pages, hva, backing, readonly, logged, hasMemfd }: Slot): Region {
  const flags = (readonly ? READONLY : 0) + (logged ? LOG_DIRTY : 0) + (hasMemfd ? GUEST_MEMFD : 0);
  return { slot, flags, gpa: base * 4096, bytes: pages * 4096, hva, backing };
}

/** For a slot that does not exist: a delete is refused, all else makes a small slot. */
function missing(slot: number): Region {
  const gpa = 2 ** 24 + slot * 8192;
  return { slot, flags: 0, gpa, bytes: 4096, hva: 2 ** 40 + gpa, backing: 1 };
}
