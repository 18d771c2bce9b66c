// Feeds one guest from one pair of batches, and holds what comes back to what
// had to.
//
// The columns are made on the fly, in place, and used again: no row is ever an
// object, and nothing is kept of an event but the sums. Making, running and
// judging are timed apart, so that neither the making nor the judging is taken
// for the engine's; by the processor time of the process, because a run of
// minutes is never alone on a machine.
import { EVENT_KINDS, EventBatch, OUTCOMES, OutcomeBatch } from "gpalias";

const BATCH = 65_536;
const ACCESS = { read: 1, write: 2 };
const SUMMED = "SPTEs changed";

/** What stops a run: an outcome that it should not have, or somebody's Ctrl-C. */
export class Wrong extends Error {}
export class Interrupted extends Error {}

const named = (counts) => {
  const seen = OUTCOMES.map((name, code) => [name, counts[code]]).filter(([, count]) => count > 0);
  return Object.fromEntries(seen);
};

const same = (got, wanted) =>
  Object.keys({ ...got, ...wanted }).every((name) => (got[name] ?? 0) === (wanted[name] ?? 0));

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

export class Feed {
  #events = new EventBatch(BATCH);
  #outcomes = new OutcomeBatch(BATCH);
  #vm;
  #guest;
  #hooks;
  /** Faults that each vCPU took, if all came as it had to. */
  faultsOf;

  /**
   * @param guest the name of the VM in progress and results
   * @param hooks `onBatch(phase)` and `onPhase(phase)` see how far it is; `signal` ends it between two batches
   */
  constructor(guest, vm, { vcpus, ...hooks }) {
    this.#guest = guest;
    this.#vm = vm;
    this.#hooks = hooks;
    this.faultsOf = new Float64Array(vcpus);
    const { vcpu, bytes, errorCode } = this.#events;
    // Every vCPU has the same number of rows of a whole batch.
    for (let row = 0; row < BATCH; row++) vcpu[row] = row % vcpus;
    bytes.fill(0);
    errorCode.fill(0);
  }

  /** Accesses: `fill(gpa, from, count)` makes the addresses. */
  accesses(name, rows, fill, expected, access) {
    this.#events.kind.fill(EVENT_KINDS.indexOf("access"));
    this.#events.access.fill(ACCESS[access]);
    if (expected.hit === undefined) this.#countFaults(rows);
    return this.#phase(name, rows, ({ gpa }, from, count) => fill(gpa, from, count), expected);
  }

  /** Operations of one kind: `rangeOf(row)` is [gpa, bytes]. `bits` is the access column. */
  operations(name, kind, rows, rangeOf, expected, { bits = 0 } = {}) {
    this.#events.kind.fill(EVENT_KINDS.indexOf(kind));
    this.#events.access.fill(bits);
    const fill = ({ gpa, bytes }, from, count) => {
      for (let row = 0; row < count; row++) [gpa[row], bytes[row]] = rangeOf(from + row);
    };
    return this.#phase(name, rows, fill, expected).finally(() => this.#events.bytes.fill(0));
  }

  async #phase(name, rows, fill, { sptes, ...outcomes }) {
    if (rows === 0) return;
    const phase = { guest: this.#guest, name, events: rows, done: 0, makeMs: 0, runMs: 0, judgeMs: 0 };
    const counts = new Float64Array(OUTCOMES.length);
    let changed = 0;
    for (let from = 0; from < rows; from += BATCH) {
      changed += this.#batch(phase, counts, from, Math.min(BATCH, rows - from), fill);
      this.#hooks.onBatch(phase);
      // Lets Ctrl-C through.
      await new Promise(setImmediate);
      if (this.#hooks.signal.aborted) throw new Interrupted(`stopped in "${name}"`);
    }
    this.#expect(name, named(counts), outcomes);
    this.#expect(name, { [SUMMED]: changed }, { [SUMMED]: sptes });
    this.#hooks.onPhase({ ...phase, outcomes: named(counts), sptesChanged: changed });
  }

  // A batch is so many rows of every vCPU, so only the last can be uneven.
  #countFaults(rows) {
    const { faultsOf } = this;
    for (let vcpu = 0; vcpu < faultsOf.length; vcpu++) {
      faultsOf[vcpu] += Math.floor(rows / faultsOf.length) + (vcpu < rows % faultsOf.length ? 1 : 0);
    }
  }

  #batch(phase, counts, from, count, fill) {
    const [events, outcomes] = [this.#events, this.#outcomes];
    const start = cpuMs();
    fill(events, from, count);
    events.count = count;
    const made = cpuMs();
    this.#vm.runSync(events, outcomes);
    const ran = cpuMs();
    const changed = tally(outcomes, counts);
    phase.makeMs += made - start;
    phase.runMs += ran - made;
    phase.judgeMs += cpuMs() - ran;
    phase.done += count;
    return changed;
  }

  #expect(name, got, wanted) {
    if (same(got, wanted)) return;
    const show = (counts) => JSON.stringify(counts);
    throw new Wrong(`${this.#guest}, ${name}: ${show(got)}, and ${show(wanted)} was expected`);
  }
}

function tally({ outcome, sptesChanged, count }, counts) {
  let changed = 0;
  for (let row = 0; row < count; row++) {
    counts[outcome[row]]++;
    changed += sptesChanged[row];
  }
  return changed;
}
