/** Rules and known defects as text for a person: one of them in full, or a list of all. */
import type { Defect, Explanation } from "../explanation.js";
import type { NativeRule } from "../native/addon-types.js";
import { joined, labelled, listed, newPage, type Page, type TextOptions } from "./text-layout.js";

/** Text of at most `columns` columns, except for words that are longer than a line. */
export function renderExplanation(found: Explanation, options: TextOptions = {}): string {
  const page = newPage(options);
  const { asked, rules, defects } = found;
  if (asked === undefined) return joined([...listOf(page, found), closing(page)]);
  const rule = rules.find(({ id }) => id === asked);
  if (rule !== undefined) return joined([ruleSection(page, rule, defects)]);
  return joined([...defects.map((defect) => defectSection(page, defect)), seenSection(page, rules)]);
}

const HEADINGS: Readonly<Record<NativeRule["kind"], string>> = {
  violation: "Rules that no strategy may break",
  advisory: "Advisories: dearer than need be",
};

function listOf(page: Page, { rules, defects }: Explanation): string[][] {
  const kinds = (["violation", "advisory"] as const).map((kind) => {
    const ofKind = rules.filter((rule) => rule.kind === kind);
    if (ofKind.length === 0) return [];
    return [page.paint("bold", HEADINGS[kind]), ...ofKind.flatMap((rule) => sentenceOf(page, rule))];
  });
  const known = defects.flatMap((defect) => labelled(page, defect.id, holdersOf(defect)));
  return [...kinds, [page.paint("bold", "Known defects, and who has them"), ...known]];
}

function sentenceOf(page: Page, { id, sentence }: NativeRule): string[] {
  return [`  ${id}`, ...labelled(page, "", sentence)];
}

function closing(page: Page): string[] {
  return labelled(page, "next", "gpalias explain <id>");
}

function ruleSection(page: Page, rule: NativeRule, defects: readonly Defect[]): string[] {
  const known = defects.map((defect) => `${defect.id}: ${holdersOf(defect)}`);
  return [
    page.paint("bold", `${rule.id} (${rule.kind})`),
    ...labelled(page, "fires when", rule.sentence),
    ...labelled(page, "why", rule.reason),
    ...labelled(page, "source", rule.source),
    ...labelled(page, "defects", known.length === 0 ? "none known shows this way" : known.join("; ")),
    ...labelled(page, "next", nextOf(rule)),
  ];
}

function defectSection(page: Page, defect: Defect): string[] {
  return [
    page.paint("bold", `${defect.id} (known defect)`),
    ...labelled(page, "who has it", holdersOf(defect)),
    ...labelled(page, "seen by", defect.rules.join(", ") || "no rule"),
  ];
}

/** How it is seen, rule by rule. */
function seenSection(page: Page, rules: readonly NativeRule[]): string[] {
  return rules.flatMap((rule) => [
    page.paint("bold", rule.id),
    ...labelled(page, "fires when", rule.sentence),
    ...labelled(page, "why", rule.reason),
    ...labelled(page, "next", nextOf(rule)),
  ]);
}

function holdersOf({ strategies }: Defect): string {
  if (strategies.length === 0) return "no strategy in particular";
  return listed(strategies.map(({ name, flavours }) => [name, `(${flavours.join(" and ")})`]));
}

const OPTIONS: Readonly<Record<NativeRule["needs"][number], string>> = {
  tlb: "--tlb",
  flushProvider: "--flush-provider hyperv",
  internalSlots: "--internal-slots",
  audit: "--audit 0",
  memoryTypes: "--backing 2M --host memoryTypes",
};

/** The command that looks for it in a trace, with what it cannot be seen without. */
function nextOf({ id, needs }: NativeRule): string {
  const options = needs.map((need) => OPTIONS[need]);
  return ["gpalias compare <trace> --alias <preset>", ...options, `--fail-on ${id}`].join(" ");
}
