/** Requests around dirty logs, put to the engine. */
import { outcomeOf } from "../../../lib/columns/outcome-batch.js";
import { fromNative } from "../../../lib/errors.js";
import type { Vm } from "../../../lib/index.js";
import type { NativeVm } from "../../../lib/native/addon-types.js";
import { NO_FILE } from "../reference/guest-memfd.js";
import type { Region } from "../reference/types.js";
import { type ExactLogRequest, hasBit, ringText } from "./log-requests.js";
import { nativeOf } from "./native-vm.js";
import { outcomeText } from "./outcome-text.js";

const WORD_BITS = 64;

/** A region with a file, of which the library has no word. */
export function setWithFile(vm: Vm, { memfd = { fd: NO_FILE, offset: 0 }, ...region }: Region): string {
  try {
    const request = { ...region, memfd: memfd.fd, memfdOffset: memfd.offset };
    return outcomeText(outcomeOf(nativeOf(vm).setMemslot(request)));
  } catch (error) {
    throw fromNative(error);
  }
}

export function askLog(vm: Vm, request: ExactLogRequest): string {
  try {
    return ask(nativeOf(vm), request);
  } catch (error) {
    throw fromNative(error);
  }
}

function ask(native: NativeVm, request: ExactLogRequest): string {
  switch (request.kind) {
    case "cap":
      native.enableCap(request.cap, request.flags, request.argument);
      return "enabled";
    case "clear": {
      const { slot, first, count } = request;
      return outcomeText(outcomeOf(native.clearDirtyLog(slot, first, count, bitmapOf(request))));
    }
    case "failing-get":
      native.dirtyLog(request.slot, false, true);
      return "copied";
    case "memfd":
      return `file ${native.createGuestMemfd(request.bytes, request.flags)}`;
    case "collect": {
      const { slot, page } = native.collectRing(request.vcpu, request.most);
      return ringText(Array.from(slot, (each, i) => ({ slot: each, page: page[i] ?? Number.NaN })));
    }
    case "reset-rings": {
      const reset = native.resetRings();
      return `${reset.entries} entries, ${outcomeText(outcomeOf(reset))}`;
    }
    case "guest-read":
      return `${native.guestRead(request.gpa, request.bytes).bytesDone} bytes read`;
    case "guest-write":
      return `${native.guestWrite(request.vcpu, request.gpa, request.bytes).bytesDone} bytes written`;
  }
}

function bitmapOf({ mask, count, copyFails }: Extract<ExactLogRequest, { kind: "clear" }>) {
  if (copyFails) return null;
  const words = new BigUint64Array(Math.ceil(count / WORD_BITS));
  for (let page = 0; page < words.length * WORD_BITS; page++)
    if (hasBit(mask, page, count)) {
      const at = Math.floor(page / WORD_BITS);
      words[at] = (words[at] ?? 0n) | (1n << BigInt(page % WORD_BITS));
    }
  return words;
}
