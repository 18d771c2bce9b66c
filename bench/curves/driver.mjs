// One VM, and batches that are filled again and again: what the axes share.
//
// Filling is never timed. Outcomes are held to the one that a series must have,
// so that no curve shows a run that went another way.
import { EVENT_KINDS, EventBatch, OUTCOMES, OutcomeBatch } from "gpalias";
import { timed } from "./measure.mjs";

export const PAGE = 4096;
const BATCH = 65_536;
const ACCESS = { read: 1, write: 2 };
// 2^32 over the golden ratio: odd, so its multiples meet all of a power of two.
const SCATTER = 0x9e3779b1;

/** The n-th of `count` places, a power of two of at most 2^32, each met once in `count`. */
export const scattered = (n, count) => (Math.imul(n, SCATTER) & (count - 1)) >>> 0;

const events = new EventBatch(BATCH);
const outcomes = new OutcomeBatch(BATCH);
const expected = Buffer.alloc(BATCH);

function expectAll(outcome, count) {
  if (outcome === "any") return;
  const code = OUTCOMES.indexOf(outcome);
  expected.fill(code, 0, count);
  const got = Buffer.from(outcomes.buffer, outcomes.outcome.byteOffset, count);
  if (!got.equals(expected.subarray(0, count))) {
    const row = got.findIndex((each) => each !== code);
    throw new Error(`row ${row}: ${OUTCOMES[got[row]]}, and ${outcome} was expected`);
  }
}

/**
 * Runs `rows` events of one kind; `addressOf(row)` is the gpa, or hva. Returns
 * nanoseconds.
 *
 * @param bytes of each range; 0 for accesses
 * @param vcpus rows take turns among them
 * @param outcome of every row; "any" where nothing is held to anything
 */
export function runRows(
  vm,
  rows,
  addressOf,
  { kind = "access", access = "write", bytes = 0, vcpus = 1, outcome },
) {
  events.kind.fill(EVENT_KINDS.indexOf(kind));
  events.access.fill(kind === "access" ? ACCESS[access] : 0);
  events.bytes.fill(bytes);
  let ns = 0;
  for (let from = 0; from < rows; from += BATCH) {
    const count = Math.min(BATCH, rows - from);
    for (let row = 0; row < count; row++) {
      events.gpa[row] = addressOf(from + row);
      events.vcpu[row] = (from + row) % vcpus;
    }
    events.count = count;
    ns += timed(() => vm.runSync(events, outcomes));
    expectAll(outcome ?? (kind === "access" ? "hit" : "done"), count);
  }
  return ns;
}
