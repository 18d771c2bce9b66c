/** What happens to a VM without anybody asking for an answer: accesses, conversions, operations over ranges. */
import fc from "fast-check";
import type { EventKind, ReferenceEvent } from "../oracle/reference/types.js";
import { aliasCountOf, hasPrivateMemory } from "./alias-rows.js";
import type { Step } from "./sequence.js";
import { aliases, type Draft, frames, issue, ranges } from "./sequence-places.js";

function event(kind: EventKind, fields: Partial<ReferenceEvent> = {}): Step {
  return { kind: "event", event: { kind, gpa: 0, bytes: 0, access: 0, vcpu: 0, ...fields } };
}

export const accesses = fc
  .record({
    frame: frames,
    alias: aliases,
    offset: fc.constantFrom(0, 8, 4095),
    access: fc.oneof(fc.constantFrom(1, 2), fc.integer({ min: 1, max: 7 })),
    vcpu: fc.nat({ max: 3 }),
  })
  .map(
    ({ frame, alias, offset, access, vcpu }): Draft<Step> =>
      (world) =>
        event("access", {
          gpa: issue(world, frame(world), alias(world)) * 4096 + offset,
          access,
          vcpu: vcpu % world.config.vcpus,
        }),
  );

/** Memory becomes shared or private, and mostly the guest then uses it so. Elsewhere only the use is left. */
export const conversions = fc
  .record({
    range: ranges,
    toPrivate: fc.boolean(),
    uses: fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 3 }),
    vcpu: fc.nat({ max: 3 }),
  })
  .map(
    ({ range, toPrivate, uses, vcpu }): Draft<Step[]> =>
      (world) => {
        const { config } = world;
        const { gpa, bytes } = range(world);
        const alias = toPrivate || aliasCountOf(config) === 1 ? 0 : 1;
        const at = issue(world, gpa / 4096, alias) * 4096;
        const conversion = event("attributes", { gpa, bytes, access: toPrivate ? 1 : 0 });
        const used = uses.map((access) => event("access", { gpa: at, access, vcpu: vcpu % config.vcpus }));
        return [...(hasPrivateMemory(config) ? [conversion] : []), ...used];
      },
  );

/** A page written through two aliases, something that a flush must follow, and the page written again. */
export const bursts = fc
  .record({
    frame: frames,
    alias: aliases,
    between: fc.constantFrom("dirty-log-get", "dirty-log-get", "dirty-log-enable", "zap"),
    vcpu: fc.nat({ max: 3 }),
  })
  .map(
    ({ frame, alias, between, vcpu }): Draft<Step[]> =>
      (world) => {
        const home = frame(world);
        const write = (at: number) =>
          event("access", {
            gpa: issue(world, home, at) * 4096,
            access: 2,
            vcpu: vcpu % world.config.vcpus,
          });
        const other = alias(world);
        const operation = event(between as EventKind, { gpa: home * 4096, bytes: 4096 });
        return [write(0), write(other), operation, write(other)];
      },
  );

export const overRangeOf = (kind: EventKind, drafts: typeof ranges) =>
  drafts.map(
    (range): Draft<Step> =>
      (world) =>
        event(kind, range(world)),
  );

/** Without a range: the whole VM, or every slot. */
export const overAll = (kind: EventKind) => fc.constant<Draft<Step>>(() => event(kind));
