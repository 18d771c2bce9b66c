/** Lives a story once more, step by step, and writes down what is seen: from a story to a report. */
import { alignDown, formatGpa, PAGE_BYTES, PAGE_SIZES } from "../address.js";
import type { Outcome } from "../columns/outcome-batch.js";
import { MmuError } from "../errors.js";
import { rules } from "../native/build-info.js";
import type { Vm } from "../vm.js";
import type { Page, Violation } from "../vm-queries.js";
import { verdictOf } from "./judge.js";
import { liveStep, startStory } from "./live-story.js";
import type { WitnessChange, WitnessReport, WitnessSlot, WitnessStep } from "./report.js";
import { type Aliases, stepSays, vcpuOf } from "./says.js";
import { leafSays, showPage } from "./show-page.js";
import { canonicalOf } from "./simpler/canonical.js";
import { isHvaStep, pageSizeOf, type SlotStep, type Story, type Target } from "./story.js";

/** Pages whose tables are shown; a story that touches more is about the first ones. */
const MOST_PAGES = 4;
/** Of more steps nobody reads what each has changed. */
const MOST_WATCHED = 1000;

export type Told = Omit<WitnessReport, "minimal" | "ended" | "trace" | "search" | "timing">;

/** @throws MmuError `ERR_INTERNAL` if the story does not show its rule */
export function tell(story: Story, target: Target): Told {
  const vm = startStory(story);
  try {
    const aliases = { bytes: vm.preset.aliases[1] ?? 2 ** 52, count: vm.preset.aliases.length };
    const pages = story.steps.length > MOST_WATCHED ? [] : pagesOf(story);
    const last = story.steps.length - 1;
    let cached = new Map<number, Page["cached"]>();
    const steps = story.steps.map((_, at) => {
      // A translation that is used once more is overdue no longer: its violation is counted.
      if (at === last) cached = new Map(pages.map((gpa) => [gpa, vm.page(gpa).cached]));
      return toldStep(vm, story, at, pages, aliases);
    });
    const violation = verdictOf(vm, target);
    if (violation === undefined) throw new MmuError("ERR_INTERNAL", `a witness does not show ${target.rule}`);
    const canonical = canonicalOf(story.config);
    const first = alignDown(canonical(violation.gpa), PAGE_BYTES);
    const shown = [...new Set([first, ...pages])].slice(0, MOST_PAGES);
    return {
      ...headOf(vm, story, violation, target),
      steps,
      pages: shown.map((gpa) => {
        const page = vm.page(gpa);
        return showPage(gpa, { ...page, cached: cached.get(gpa) ?? page.cached }, aliases);
      }),
    };
  } finally {
    vm.close();
  }
}

type Head = Omit<Told, "steps" | "pages">;

function headOf(vm: Vm, { config, slots }: Story, violation: Violation, { byAudit }: Target): Head {
  const { defect, reason, gpa } = violation;
  const { strategy } = vm.config.alias;
  return {
    schemaVersion: 1,
    found: true,
    run: `${strategy}/${vm.config.mmu}`,
    rule: ruleOf(violation.rule),
    defect,
    reason,
    gpa: formatGpa(gpa),
    config,
    audit: byAudit,
    memslots: slots.map(slotOf),
  };
}

function ruleOf(wanted: string): WitnessReport["rule"] {
  const found = rules().find((rule) => rule.id === wanted);
  const { id = wanted, kind = "violation", sentence = "", reason = "", source = "" } = found ?? {};
  return { id, kind, sentence, reason, source };
}

export function slotOf(step: SlotStep): WitnessSlot {
  const { slot, gpa, bytes, flags, hva } = step;
  const backing = pageSizeOf(step);
  return { slot, gpa: formatGpa(gpa), size: formatGpa(bytes), flags, hva: formatGpa(hva), backing };
}

/** The slots of a report as steps again. */
export function slotStepOf({ slot, gpa, size, flags, hva, backing }: WitnessSlot): SlotStep {
  const level = PAGE_SIZES.indexOf(backing as (typeof PAGE_SIZES)[number]);
  return {
    is: "memslot",
    slot,
    gpa: Number(gpa),
    bytes: Number(size),
    flags,
    hva: Number(hva),
    backing: level,
  };
}

/** Pages that a story names, without alias bits, in order. */
function pagesOf({ config, steps }: Story): number[] {
  const canonical = canonicalOf(config);
  const named = steps.flatMap((step) =>
    step.is === "event" && !isHvaStep(step) && (step.kind === "access" || step.bytes > 0)
      ? [alignDown(canonical(step.gpa), PAGE_BYTES)]
      : [],
  );
  return [...new Set(named)].slice(0, MOST_PAGES);
}

function toldStep(vm: Vm, story: Story, at: number, pages: readonly number[], aliases: Aliases): WitnessStep {
  const step = story.steps[at] as Story["steps"][number];
  const event = story.numbers?.[at];
  const vcpu = vcpuOf(step);
  const before = pages.map((gpa) => vm.page(gpa));
  const { result, flush, flushedPages, sptesChanged }: Outcome = liveStep(vm, step);
  return {
    says: stepSays(step, aliases),
    ...(vcpu !== undefined && { vcpu }),
    ...(event !== undefined && { event }),
    step,
    outcome: result,
    flush,
    flushedPages,
    sptesChanged,
    changes: pages.flatMap((gpa, page) => changesOf(before[page] as Page, vm.page(gpa), aliases)),
  };
}

function changesOf(before: Page, after: Page, aliases: Aliases): WitnessChange[] {
  return after.ways.flatMap((way, at) => {
    const [was, is] = [leafSays(before.ways[at] ?? way), leafSays(way)];
    const alias = Math.floor(way.gpa / aliases.bytes);
    return was === is ? [] : [{ alias, gpa: formatGpa(way.gpa), before: was, after: is }];
  });
}
