/**
 * Every kind of access to every kind of slot, under each page size, in each
 * state that a page can be in: engine against reference model.
 */
import { describe, test } from "vitest";
import type { Scenario, Step } from "../support/sequence.js";
import { agree } from "./differential/agree.js";
import { LOG_DIRTY, READ, READONLY, type ReferenceEvent, type Region, WRITE } from "./reference/types.js";

const MiB = 2 ** 20;
const GiB = 2 ** 30;
// In the middle of its 2M and 1G: a huge page holds it or none does.
const PAGE = 5 * GiB + 3 * MiB + 0x7000;
const NEIGHBOUR = PAGE + 0x1000;
const SLOT: Omit<Region, "flags" | "backing"> = { slot: 3, gpa: 5 * GiB, bytes: GiB, hva: 2 ** 40 + 5 * GiB };

const event = (kind: ReferenceEvent["kind"], fields: Partial<ReferenceEvent> = {}): Step => ({
  kind: "event",
  event: { kind, gpa: 0, bytes: 0, access: 0, vcpu: 0, ...fields },
});
const access = (gpa: number, bits: number): Step => event("access", { gpa, access: bits });
const touch = [access(PAGE, READ)];

const kinds = { "no slot": undefined, writable: 0, "read-only": READONLY, logged: LOG_DIRTY };

const states: Record<string, Step[]> = {
  fresh: [],
  "mapped by a read": touch,
  "mapped by a write": [access(PAGE, WRITE)],
  "whose neighbour is mapped": [access(NEIGHBOUR, READ)],
  "protected by a dirty round": [...touch, event("dirty-log-get")],
  zapped: [...touch, event("zap", { gpa: PAGE - 0x7000, bytes: 2 * MiB })],
  dropped: [...touch, event("zap-all-fast")],
  "known before a slot came elsewhere": [
    ...touch,
    {
      kind: "memslot",
      intent: { kind: "create", region: { ...SLOT, slot: 4, gpa: 0, flags: 0, backing: 1 } },
    },
  ],
};

/** States that split a huge page on the way; of a 1G page that takes too long here. */
const splitting: Record<string, Step[]> = {
  "protected since logging began": [...touch, event("dirty-log-enable")],
  "recovered since logging ended": [...touch, event("dirty-log-enable"), event("dirty-log-disable")],
  "in a table that logging left empty": [
    ...touch,
    event("dirty-log-enable"),
    event("zap", { gpa: PAGE - 0x7000, bytes: 2 * MiB }),
    event("dirty-log-disable"),
  ],
};

function scenario(
  flags: number | undefined,
  backing: number,
  before: readonly Step[],
  bits: number,
): Scenario {
  const config = { addressBits: 48, rootLevel: 4, hostMaxphyaddr: 48, vcpus: 1, policy: "none" };
  const slots = flags === undefined ? [] : [{ ...SLOT, flags, backing }];
  const again = [access(PAGE, bits), access(PAGE + 8, bits), access(NEIGHBOUR, bits)];
  return { config, slots, steps: [...before, ...again, event("dirty-log-get"), ...again] };
}

describe.each(Object.entries(kinds))("%s", (_, flags) => {
  describe.each([1, 2, 3])("backing level %i", (backing) => {
    const all = backing < 3 ? { ...states, ...splitting } : states;
    test.each(Object.entries(all))("engine and model agree on every access to a page %s", (_, before) => {
      for (let bits = 1; bits <= 7; bits++) agree(scenario(flags, backing, before, bits));
    });
  });
});
