// A projection for tests of who is given what: every access goes through the
// highest alias, and each has a conversion in front of it.
import { EventBatch, KIND } from "../../lib/columns/event-batch.js";
import type { Projection, ProjectionContext } from "../../lib/projections/index.js";

const INSERTED = 2;

interface Shift {
  readonly text: string | undefined;
  conversions: number;
  readonly offset: number;
}

export async function createProjection(
  text: string | undefined,
  { aliases }: ProjectionContext,
): Promise<Projection> {
  return { text, conversions: 0, offset: aliases.at(-1) ?? 0 } as unknown as Projection;
}

export async function* projectBatches(
  batches: AsyncIterable<EventBatch>,
  projection: Projection,
  { size, extra }: { readonly size: number; readonly extra: boolean },
): AsyncGenerator<EventBatch> {
  const shift = projection as unknown as Shift;
  const pair = [new EventBatch(size, { extra }), new EventBatch(size, { extra })];
  const next = (): EventBatch => {
    const batch = pair.reverse()[0] as EventBatch;
    batch.reset();
    return batch;
  };
  let into = next();
  for await (const { kind, gpa, access, vcpu, count } of batches) {
    for (let row = 0; row < count; row++) {
      const page = gpa[row] as number;
      const rows = [
        [KIND.attributes, page, 4096, INSERTED],
        [kind[row] as number, page + shift.offset, 0, access[row] as number],
      ] as const;
      for (const [k, address, bytes, bits] of rows) {
        if (into.isFull) {
          yield into;
          into = next();
        }
        into.pushRow(k, address, bytes, vcpu[row] as number, bits);
      }
      shift.conversions++;
    }
  }
  if (into.count > 0) yield into;
}
