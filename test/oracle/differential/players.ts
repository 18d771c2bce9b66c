/**
 * Two ways to put the requests of a transcript to the engine through the
 * library: call by call, and the events of a stretch as one batch of columns.
 */
import type { Outcome, Vm } from "../../../lib/index.js";
import { aVm, memoryRegion, runEvents, sizeOf, wordsOf } from "../../support/drive.js";
import { has } from "../reference/rights.js";
import { GUEST_MEMFD, type ReferenceConfig, type ReferenceEvent, type Region } from "../reference/types.js";
import { logText } from "./answers.js";
import { askHost } from "./host-requests.js";
import { askLog, setWithFile } from "./log-player.js";
import { outcomeText } from "./outcome-text.js";
import { snapshotOfVm } from "./snapshot.js";
import type { Answer, Exchange, Request } from "./transcript.js";
import { invalidateHva, setAttributes } from "./vm-surface.js";

export interface Mismatch {
  readonly player: string;
  readonly exchange: Exchange;
  readonly got: Answer;
}

/** Plays everything; the first answer that differs from the transcript's ends it. */
export type Player = (config: ReferenceConfig, exchanges: readonly Exchange[]) => Mismatch | undefined;

export const stepByStep: Player = (config, exchanges) => {
  using vm = aVm(config);
  for (const exchange of exchanges) {
    const got = ask(vm, exchange.request);
    if (!isEqual(got, exchange.answer)) return { player: "step by step", exchange, got };
  }
  return undefined;
};

export const inBatches: Player = (config, exchanges) => {
  using vm = aVm(config);
  let rest = exchanges;
  while (rest.length > 0) {
    const next = rest.findIndex(({ request }) => !isBatchable(request));
    const events = rest.slice(0, next === -1 ? rest.length : next);
    const mismatch = askBatch(vm, events) ?? askHandle(vm, rest[events.length]);
    if (mismatch !== undefined) return mismatch;
    rest = rest.slice(events.length + 1);
  }
  return undefined;
};

/** An operation of the VMM takes no word for what memory becomes, so that is asked for call by call. */
const isBatchable = (request: Request): boolean =>
  request.kind === "event" && request.event.kind !== "attributes";

function isEqual(got: Answer, expected: Answer): boolean {
  return typeof got === "string" || typeof expected === "string"
    ? got === expected
    : got.length === expected.length && got.every((line, i) => line === expected[i]);
}

function refusalText(error: unknown): string {
  const { code, errno, message } = error as { code?: string; errno?: string; message: string };
  return code?.startsWith("ERR_") === true && errno !== undefined ? `${code} ${errno}` : message;
}

function ask(vm: Vm, request: Request): Answer {
  if (request.kind === "compare") return snapshotOfVm(vm, request.probes);
  try {
    if (request.kind === "event") return outcomeText(step(vm, request.event));
    if (request.kind === "set" && has(request.region.flags, GUEST_MEMFD))
      return setWithFile(vm, request.region);
    if (request.kind === "set") return outcomeText(vm.memslots.set(memoryRegion(request.region)));
    if (request.kind === "log") return askLog(vm, request.request);
    if (request.kind === "host") return askHost(vm, request.request);
    return takeLog(vm, request.slot);
  } catch (error) {
    return refusalText(error);
  }
}

function step(vm: Vm, event: ReferenceEvent): Outcome {
  const { kind, gpa, bytes, access, vcpu } = event;
  if (kind === "access") return vm.access(gpa, wordsOf(access), { vcpu });
  if (kind === "zap") return vm.zap(gpa, bytes);
  if (kind === "hva-invalidate") return invalidateHva(vm, gpa, bytes);
  if (kind === "attributes") return setAttributes(vm, gpa, bytes, access % 2 === 1);
  if (kind === "zap-all-fast") return vm.zapAll();
  if (kind === "dirty-log-get" && bytes === 0) return vm.takeDirtyLogs();
  return runEvents(vm, [event])[0] as Outcome;
}

function takeLog(vm: Vm, number: number): string {
  const slot = [...vm.memslots].find(({ id, asId }) => id + asId * 65536 === number);
  // There is no handle of a slot that does not exist.
  if (slot === undefined) return askLog(vm, { kind: "failing-get", slot: number });
  const base = slot.gpa;
  return logText(Array.from(slot.takeDirtyLog().gpas(), (gpa) => (gpa - base) / 4096));
}

function askBatch(vm: Vm, exchanges: readonly Exchange[]): Mismatch | undefined {
  if (exchanges.length === 0) return undefined;
  const events = exchanges.flatMap(({ request }) => (request.kind === "event" ? [request.event] : []));
  const outcomes = runEvents(vm, events);
  for (const [i, exchange] of exchanges.entries()) {
    const got = outcomeText(outcomes[i] as Outcome);
    if (got !== exchange.answer) return { player: "in batches", exchange, got };
  }
  return undefined;
}

/** Slot changes that will be accepted go through the slot's handle here, the rest as raw requests. */
function askHandle(vm: Vm, exchange: Exchange | undefined): Mismatch | undefined {
  if (exchange === undefined) return undefined;
  const { request, answer } = exchange;
  // No handle names a slot where no guest can reach; an old kernel makes one.
  const isBelow =
    request.kind === "set" && request.region.gpa < 2 ** 52 && !has(request.region.flags, GUEST_MEMFD);
  const accepted = isBelow && typeof answer === "string" && answer.startsWith("done");
  const got = request.kind === "set" && accepted ? setByHandle(vm, request.region, answer) : ask(vm, request);
  return isEqual(got, answer) ? undefined : { player: "in batches", exchange, got };
}

/** `answer`: what is taken for granted of an `add`, which returns the slot. */
function setByHandle(vm: Vm, region: Region, answer: Answer): Answer {
  const { slot, flags, gpa, bytes, hva } = region;
  const [id, asId, logs] = [slot % 65536, Math.floor(slot / 65536), flags % 2 === 1];
  const handle = vm.memslots.get(id, asId);
  if (handle === undefined) {
    const backing = sizeOf(region.backing);
    vm.memslots.add({ id, asId, gpa, bytes, hva, backing, readonly: flags >= 2, dirtyLog: logs });
    return answer;
  }
  if (bytes === 0) return outcomeText(handle.delete());
  if (handle.gpa !== gpa && handle.dirtyLogging === logs) return outcomeText(handle.move(gpa));
  if (handle.gpa === gpa) return outcomeText(handle.setDirtyLogging(logs));
  return ask(vm, { kind: "set", region });
}
