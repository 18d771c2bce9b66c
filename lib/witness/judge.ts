/** Whether a VM shows what is looked for: the rule, with the same known defect behind it. */
import { rules } from "../native/build-info.js";
import type { Vm } from "../vm.js";
import type { Violation } from "../vm-queries.js";
import type { Target } from "./story.js";

/** The finding of the rule in this VM; undefined if it did not fire, or for another reason. */
export function verdictOf(vm: Vm, { rule, defect, byAudit }: Target): Violation | undefined {
  if (byAudit) vm.auditEvery(0);
  const isIt = (found: Violation) => found.rule === rule && found.defect === defect;
  return vm.violations().find(isIt) ?? vm.advisories().find(isIt);
}

/** The first finding of a VM: of one rule, or of all that say that something is wrong. */
export function firstFinding(vm: Vm, rule: string | undefined): Violation | undefined {
  const all = rule === undefined ? vm.violations() : [...vm.violations(), ...vm.advisories()];
  return all
    .filter((found) => rule === undefined || found.rule === rule)
    .reduce<Violation | undefined>(
      (first, found) => (first === undefined || found.firstEvent < first.firstEvent ? found : first),
      undefined,
    );
}

/** What to look for, from what was found. */
export function targetOf({ rule, defect }: Violation): Target {
  return { rule, defect, byAudit: isStructural(rule) };
}

/** Whether only audits find it. */
export function isStructural(rule: string): boolean {
  return rules().some(({ id, needs }) => id === rule && needs.includes("audit"));
}
