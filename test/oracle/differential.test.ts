/**
 * Random lives of a VM under every strategy and flavour, lived by the engine
 * and by the reference model: every outcome equal, and at moments everything
 * that can be seen. GPALIAS_LONG runs many more, GPALIAS_RUNS any number,
 * GPALIAS_SEED others.
 */
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { pairName, pairs } from "../support/alias-rows.js";
import { aVm } from "../support/drive.js";
import { isLongRun, runSeed } from "../support/random.js";
import { scenarios } from "../support/sequence.js";
import { leavesText } from "../support/vm-text.js";
import { agree } from "./differential/agree.js";
import { answerText } from "./differential/answers.js";
import { outcomeText } from "./differential/outcome-text.js";
import { leafLine } from "./differential/snapshot.js";
import { LOG_DIRTY } from "./reference/types.js";
import { ReferenceMmu } from "./reference-mmu.js";

/** Of all pairs together, in the long run. */
const LONG_RUNS = 100_000;
const RUNS = Number(process.env.GPALIAS_RUNS ?? (isLongRun ? Math.ceil(LONG_RUNS / pairs.length) : 250));
const GIANT_RUNS = Math.ceil(RUNS / 25);
const LONG_MS = 60 * 60_000;
const CONFIG = { addressBits: 48, rootLevel: 4, hostMaxphyaddr: 48, vcpus: 1, policy: "none" };

// An addon that does not load fails here, not as a counterexample.
beforeAll(() => aVm(CONFIG).close());

test.each(pairs.map((pair) => ({ name: pairName(pair), pair })))(
  `$name: engine and model agree on ${RUNS} random sequences, seed ${runSeed()}`,
  { timeout: LONG_MS },
  ({ pair }) => {
    fc.assert(fc.property(scenarios({ pair }), agree), { seed: runSeed(), numRuns: RUNS });
  },
);

test(`engine and model agree on ${GIANT_RUNS} sequences over 1G pages`, { timeout: LONG_MS }, () => {
  const giants = fc.constantFrom(...pairs).chain((pair) => scenarios({ pair, giants: true }));
  fc.assert(fc.property(giants, agree), { seed: runSeed(), numRuns: GIANT_RUNS });
});

test("engine and model agree on MMIO entries past the wrap of a generation", { timeout: LONG_MS }, () => {
  const model = new ReferenceMmu(CONFIG);
  using vm = aVm(CONFIG);
  const slot = { slot: 0, gpa: 0, bytes: 4096, hva: 2 ** 40 };
  const hole = { kind: "access", gpa: 2 ** 30, bytes: 0, access: 1, vcpu: 0 } as const;
  const ofModel = walkGenerations(
    (flags) => answerText(model.setMemslot({ ...slot, flags, backing: 1 })),
    () => {
      model.apply(hole);
      return model.leaves({ mmio: true }).map(leafLine);
    },
  );
  const ofEngine = walkGenerations(
    (flags) => outcomeText(vm.memslots.set({ ...slot, flags })),
    () => {
      vm.access(hole.gpa, "read");
      return leavesText(vm);
    },
  );
  expect(ofEngine).toEqual(ofModel);
  expect(ofModel.filter((line) => line.includes("1 SPTEs changed"))).toHaveLength(1);
});

/** Takes every step of the generation, past its wrap, touching a hole at times: what each step changed, what each touch left. */
function walkGenerations(set: (flags: number) => string, touch: () => string[]): string[] {
  const seen: string[] = [];
  for (let step = 1; step <= 2 ** 18 + 2; step++) {
    const answer = set(step % 2 === 0 ? LOG_DIRTY : 0);
    if (!answer.endsWith(" 0 SPTEs changed")) seen.push(`step ${step}: ${answer}`);
    if (step % 9973 === 0) seen.push(...touch());
  }
  return [...seen, ...touch()];
}
