/** Requests around dirty logs as the reference model answers them, in words that the engine's answers are put into too. */
import type { LogRequest, Mask } from "../../support/sequence-logs.js";
import type { RingEntry } from "../reference/dirty-ring.js";
import type { ReferenceMmu } from "../reference-mmu.js";
import { answerText } from "./answers.js";

type Clear = Extract<LogRequest, { kind: "clear" }>;
/** With every number known. */
export type ExactLogRequest = Exclude<LogRequest, Clear> | (Clear & { readonly count: number });

export function exactly(request: LogRequest, model: ReferenceMmu): ExactLogRequest {
  if (request.kind !== "clear") return request;
  const { count, first } = request;
  const rest = Math.max((model.slot(request.slot)?.pages ?? first) - first, 0);
  return { ...request, count: count === "rest" ? rest : count };
}

/** Whether the mask of a clear has this page, counted from its first. */
export const hasBit = (mask: Mask, page: number, count: number): boolean =>
  ({
    all: true,
    none: false,
    even: page % 2 === 0,
    first: page === 0,
    ends: page % 64 === 0 || page % 64 === 63 || page === count - 1,
  })[mask];

export const ringText = (entries: readonly RingEntry[]): string =>
  `ring ${entries.map(({ slot, page }) => `${slot}:${page}`).join(" ")}`;

export function answerToLog(model: ReferenceMmu, request: ExactLogRequest): string {
  switch (request.kind) {
    case "cap":
      model.enableCap(request.cap, request.flags, request.argument);
      return "enabled";
    case "clear":
      return answerText(model.clearDirtyLog(request.slot, clearOf(request)));
    case "failing-get":
      model.takeDirtyLog(request.slot, { copyFails: true });
      throw new Error("a copy was to fail");
    case "memfd":
      return `file ${model.createGuestMemfd(request.bytes, request.flags)}`;
    case "collect":
      return ringText(model.collectRing(request.vcpu, request.most));
    case "reset-rings": {
      const reset = model.resetRings();
      return `${reset.entries} entries, ${answerText(reset)}`;
    }
    case "guest-read":
      return `${model.guestRead(request.gpa, request.bytes)} bytes read`;
    case "guest-write":
      return `${model.guestWrite(request.gpa, request.bytes, request.vcpu)} bytes written`;
  }
}

function clearOf({ first, count, mask, copyFails }: Clear & { readonly count: number }) {
  return { first, count, copyFails, isAsked: (page: number) => hasBit(mask, page - first, count) };
}
