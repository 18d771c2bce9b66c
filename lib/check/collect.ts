/** Joins what the worlds of one run came to. */
import { formatGpa } from "../address.js";
import type { NativeFound } from "../native/addon-types.js";
import type { Explored } from "./explore-world.js";
import type { CheckResult, CheckViolation, WorldResult } from "./result.js";
import { type CheckBound, PAGES, type SmallWorld, VCPUS } from "./world.js";

export interface WorldAnswer {
  readonly world: SmallWorld;
  readonly explored: Explored;
}

export function collect(
  run: string,
  bound: CheckBound,
  answers: readonly WorldAnswer[],
  isAdvisory: (rule: string) => boolean,
): Omit<CheckResult, "timing"> {
  const all = shortest(
    answers.flatMap(({ world, explored }) => explored.found.map((f) => violation(world, f))),
  );
  const sum = (of: (answer: WorldAnswer) => number): number => answers.reduce((total, a) => total + of(a), 0);
  return {
    schemaVersion: 1,
    run,
    bound: { vcpus: VCPUS, pages: PAGES.length, operations: bound.operations, states: bound.states },
    states: sum(({ explored }) => explored.states),
    transitions: sum(({ explored }) => explored.transitions),
    spared: sum(({ explored }) => explored.spared),
    complete: answers.every(({ explored }) => explored.end === "complete"),
    worlds: answers.map(worldResult),
    violations: all.filter(({ rule }) => !isAdvisory(rule)),
    advisories: all.filter(({ rule }) => isAdvisory(rule)),
  };
}

const worldResult = ({ world, explored }: WorldAnswer): WorldResult => ({
  name: world.name,
  operations: world.operations.length,
  states: explored.states,
  transitions: explored.transitions,
  spared: explored.spared,
  covered: explored.covered,
  rules: explored.found.map(({ rule }) => rule).sort(),
});

function violation(world: SmallWorld, { rule, defect, reason, gpa, path }: NativeFound): CheckViolation {
  const operations = path.flatMap((index) => {
    const operation = world.operations[index];
    return operation === undefined ? [] : [{ says: operation.says, steps: operation.steps }];
  });
  return {
    rule,
    ...(defect === "" ? {} : { defect }),
    ...{ reason, gpa: formatGpa(gpa), world: world.name },
    witness: { config: world.config, setup: world.setup, operations },
  };
}

/** Of each rule the one with the shortest path, the first of equals. */
function shortest(violations: readonly CheckViolation[]): CheckViolation[] {
  const byRule = new Map<string, CheckViolation>();
  for (const each of violations) {
    const best = byRule.get(each.rule);
    const isBetter = best === undefined || lengthOf(each) < lengthOf(best);
    if (isBetter) byRule.set(each.rule, each);
  }
  return [...byRule.values()].sort((a, b) => (a.rule < b.rule ? -1 : 1));
}

const lengthOf = ({ witness }: CheckViolation): number => witness.operations.length;
