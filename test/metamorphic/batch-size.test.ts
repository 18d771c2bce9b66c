/** How a stream of events is cut into batches is nobody's business but the caller's. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { snapshotOfVm } from "../oracle/differential/snapshot.js";
import { runEvents, vmWithSlots } from "../support/drive.js";
import { isLongRun, runSeed } from "../support/random.js";
import { eventsOf, scenarios } from "../support/sequence.js";

const RUNS = isLongRun ? 2_000 : 100;

test(`the size of batches never changes an outcome or a state, seed ${runSeed()}`, () => {
  const property = fc.property(scenarios(), fc.integer({ min: 1, max: 40 }), (scenario, size) => {
    const events = eventsOf(scenario);
    using whole = vmWithSlots(scenario.config, scenario.slots);
    using single = vmWithSlots(scenario.config, scenario.slots);
    using cut = vmWithSlots(scenario.config, scenario.slots);
    const outcomes = runEvents(whole, events);
    expect(runEvents(single, events, 1)).toEqual(outcomes);
    expect(runEvents(cut, events, size)).toEqual(outcomes);
    expect(snapshotOfVm(single, [])).toEqual(snapshotOfVm(whole, []));
    expect(snapshotOfVm(cut, [])).toEqual(snapshotOfVm(whole, []));
  });
  fc.assert(property, { seed: runSeed(), numRuns: RUNS });
});
