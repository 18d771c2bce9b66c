/** Dropping every root forgets everything that a later event could notice. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { runEvents, vmWithSlots } from "../support/drive.js";
import { isLongRun, runSeed } from "../support/random.js";
import { eventsOf, scenarios } from "../support/sequence.js";
import { leavesText } from "../support/vm-text.js";

const RUNS = isLongRun ? 4_000 : 200;

/** Not forgotten, as they belong to the slots or the host: logging and generations, watched frames, open windows. */
const CHANGES_SLOTS = new Set([
  ...["dirty-log-enable", "dirty-log-disable", "write-track-add", "write-track-remove"],
  ...["hva-begin", "hva-end"],
]);

test(`after a drop of everything a replay is that of a fresh VM, seed ${runSeed()}`, () => {
  const property = fc.property(scenarios(), fc.nat({ max: 120 }), (scenario, cut) => {
    // A provider that fails now and then counts its calls for ever.
    fc.pre(scenario.config.flushProvider?.startsWith("fail") !== true);
    // A ring keeps what was pushed until it is reset.
    fc.pre((scenario.config.dirtyRing ?? 0) === 0);
    const events = eventsOf(scenario);
    const before = events.slice(0, cut).filter(({ kind }) => !CHANGES_SLOTS.has(kind));
    const after = events.slice(cut);
    using used = vmWithSlots(scenario.config, scenario.slots);
    using fresh = vmWithSlots(scenario.config, scenario.slots);
    runEvents(used, before);
    used.zapAll();
    // Dirty bits belong to the slots too, and a later round would flush for them.
    used.takeDirtyLogs();
    expect(leavesText(used)).toEqual([]);
    expect(runEvents(used, after)).toEqual(runEvents(fresh, after));
    expect(leavesText(used)).toEqual(leavesText(fresh));
    // Where a table went dense, another starts with room for as much.
    const { engineBytes: _used, ...usedTables } = used.tables();
    const { engineBytes: _fresh, ...freshTables } = fresh.tables();
    expect(usedTables).toEqual(freshTables);
  });
  fc.assert(property, { seed: runSeed(), numRuns: RUNS });
});
