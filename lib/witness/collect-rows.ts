/** The second look at a trace: keeps the events up to the one that the rule fired at, or those of them that are near. */
import { MiB, PAGE_BYTES } from "../address.js";
import { type EventBatch, isInserted, KIND } from "../columns/event-batch.js";
import { EventRows } from "./event-rows.js";
import { batchesOf, type Search } from "./find.js";

/** How near an access has to be to the page of the violation. Operations always are. */
export type Nearness = "page" | "region" | "any";

const BYTES: Readonly<Record<Nearness, number>> = { page: PAGE_BYTES, region: 2 * MiB, any: 2 ** 53 };

/** Whether a gpa is so near to another, whichever aliases they are issued through. */
export function nearTo(gpa: number, nearness: Nearness, aliasBytes: number): (other: number) => boolean {
  const unit = BYTES[nearness];
  const place = (issued: number) => Math.floor((issued % aliasBytes) / unit);
  const wanted = place(gpa);
  return (other) => place(other) === wanted;
}

/** Rows up to and with the event `last`: operations, and accesses that are near. */
export async function collectRows(
  search: Search,
  last: number,
  isNear: (gpa: number) => boolean,
): Promise<EventRows> {
  const rows = new EventRows();
  let next = 0;
  for await (const batch of batchesOf(search)) {
    next = appendNear(rows, batch, { next, last, isNear });
    await search.pace.turn();
    if (next > last) break;
  }
  return rows;
}

interface Wanted {
  readonly next: number;
  readonly last: number;
  readonly isNear: (gpa: number) => boolean;
}

/** Returns the number of the first event behind the batch, or of one behind the last. */
function appendNear(rows: EventRows, batch: EventBatch, { next, last, isNear }: Wanted): number {
  const { kind, gpa, access, count } = batch;
  let number = next;
  for (let row = 0; row < count && number <= last; row++) {
    const isAccess = kind[row] === KIND.access;
    if (!isAccess || isNear(gpa[row] as number)) rows.append(batch, row, number);
    if (!isInserted(kind[row] as number, access[row] as number)) number++;
  }
  return number;
}
