/** A witness as a test case for vitest, which needs nothing but the package. */
import { formatGpa } from "../address.js";
import type { CheckStep } from "../check/world.js";
import { ACCESS_BITS, ATTRIBUTE_BITS } from "../columns/event-batch.js";
import type { WitnessReport, WitnessStep } from "./report.js";
import { type EventStep, pageSizeOf, type SlotStep } from "./story.js";
import { slotStepOf } from "./tell.js";

/** The text of a TypeScript file with one case: it makes the VM, lives the steps, and expects the rule. */
export function witnessTest(report: WitnessReport): string {
  const { config, memslots, steps, audit } = report;
  const needsBatch = steps.some(({ step }) => step.is === "event" && CALLS[step.kind]?.(step) === undefined);
  const names = ["createVm", ...(needsBatch ? ["EVENT_KINDS", "EventBatch", "OutcomeBatch", "type Vm"] : [])];
  const body = [
    ...memslots.map((slot) => slotCall(slotStepOf(slot))),
    ...steps.map(lineOf),
    ...(audit ? ["vm.auditEvery(0);"] : []),
    expectation(report),
  ];
  return [
    ...remarks(report),
    `import { ${names.join(", ")} } from "gpalias";`,
    'import { expect, test } from "vitest";',
    "",
    ...(needsBatch ? EVENT_HELPER : []),
    `test(${JSON.stringify(titleOf(report))}, () => {`,
    `  const vm = createVm(${literal(config)});`,
    "  try {",
    ...body.map((line) => `    ${line}`),
    "  } finally {",
    "    vm.close();",
    "  }",
    "});",
    "",
  ].join("\n");
}

const titleOf = ({ run, rule, defect }: WitnessReport): string =>
  `${run} shows ${rule.id}${defect === "" ? "" : ` (${defect})`}`;

function remarks({ rule, reason, trace, minimal }: WitnessReport): string[] {
  const from = trace === undefined ? "" : ` Found in ${trace.path} at event ${trace.firstEvent}.`;
  const lines = [
    `${rule.id}: ${rule.sentence}.`,
    `Here: ${reason}.${from}`,
    minimal ? "No step can be left out." : "There may be a shorter way.",
  ];
  // What a file may be called is not for us to say, and must not end the comment.
  return lines.map((line) => `// ${line.replaceAll(/[\p{Cc}\u2028\u2029]/gu, " ")}`);
}

function expectation({ rule, defect }: WitnessReport): string {
  const found = rule.kind === "violation" ? "violations" : "advisories";
  const wanted = literal({ rule: rule.id, defect });
  return `expect(vm.${found}()).toContainEqual(expect.objectContaining(${wanted}));`;
}

const EVENT_HELPER = [
  "/** An event that has no method of its own. */",
  "function event(vm: Vm, kind: (typeof EVENT_KINDS)[number], gpa = 0, bytes = 0, vcpu = 0, access = 0): void {",
  "  const batch = new EventBatch(1);",
  "  batch.pushRow(EVENT_KINDS.indexOf(kind), gpa, bytes, vcpu, access);",
  "  vm.runSync(batch, new OutcomeBatch(1));",
  "}",
  "",
];

function lineOf({ step, outcome, flush }: WitnessStep): string {
  const flushed = flush === "none" ? "" : `, ${flush} flush`;
  return `${callOf(step)} // ${outcome}${flushed}`;
}

function callOf(step: CheckStep): string {
  if (step.is === "mtrr") return `vm.setMtrr(${hex(step.msr)}, ${hex(step.value)});`;
  if (step.is === "memslot") return slotCall(step);
  const { kind, gpa, bytes, vcpu, access } = step;
  const call = CALLS[kind]?.(step);
  return call ?? `event(vm, ${JSON.stringify(kind)}, ${hex(gpa)}, ${hex(bytes)}, ${vcpu}, ${access});`;
}

/** Undefined where the method does not say it all. */
type Call = (step: EventStep) => string | undefined;

/** Kinds that a VM has a method for. */
const CALLS: { readonly [Kind in EventStep["kind"]]?: Call } = {
  access: ({ gpa, access, vcpu }) => {
    const who = vcpu === 0 ? "" : `, { vcpu: ${vcpu} }`;
    return `vm.access(${hex(gpa)}, ${wordsOf(access)}${who});`;
  },
  zap: ({ gpa, bytes }) => `vm.zap(${hex(gpa)}, ${hex(bytes)});`,
  "zap-all-fast": () => "vm.zapAll();",
  "dirty-log-get": ({ bytes }) => (bytes === 0 ? "vm.takeDirtyLogs();" : undefined),
  "hva-invalidate": ({ gpa, bytes }) => `vm.invalidateHva(${hex(gpa)}, ${hex(bytes)});`,
  attributes: ({ gpa, bytes, access }) => {
    const attribute = access & ATTRIBUTE_BITS.private ? "private" : "shared";
    return `vm.setAttributes(${hex(gpa)}, ${hex(bytes)}, "${attribute}");`;
  },
};

function slotCall(step: SlotStep): string {
  const { slot, flags, gpa, bytes, hva } = step;
  const more = step.backing === 1 ? "" : `, backing: "${pageSizeOf(step)}"`;
  const where = `gpa: ${hex(gpa)}, bytes: ${hex(bytes)}, hva: ${hex(hva)}`;
  return `vm.memslots.set({ slot: ${slot}, flags: ${flags}, ${where}${more} });`;
}

function wordsOf(access: number): string {
  const words = Object.entries(ACCESS_BITS).flatMap(([word, bit]) => (access & bit ? [`"${word}"`] : []));
  return words.length === 1 ? (words[0] as string) : `[${words.join(", ")}]`;
}

const hex = (value: number): string => (value < 10 ? String(value) : formatGpa(value));

/** Plain data as TypeScript has it. */
function literal(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, each]) => `${key}: ${literal(each)}`);
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}
