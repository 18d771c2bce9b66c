/** What a scenario asks of the host, and of KVM about its tables: put to the model and to the engine. */
import type { Vm } from "../../../lib/index.js";
import type { HostRequest } from "../../support/sequence-host.js";
import type { ReferenceMmu } from "../reference-mmu.js";
import { answerText } from "./answers.js";
import { outcomeText } from "./outcome-text.js";

const DONE = "done";

export function answerToHost(model: ReferenceMmu, request: HostRequest): string {
  if (request.kind === "mmu-pages") return answerText(model.setMmuPages(request.pages));
  model.setHostMapping(request.hva, request.bytes, request.mapping);
  return DONE;
}

type Mapping = Parameters<Vm["setHostMapping"]>[2];

export function askHost(vm: Vm, request: HostRequest): string {
  if (request.kind === "mmu-pages") return outcomeText(vm.setMmuPages(request.pages));
  vm.setHostMapping(request.hva, request.bytes, (request.mapping ?? { reset: true }) as Mapping);
  return DONE;
}
