/** The projection that changes nothing. */
import { expectInteger } from "../expect.js";
import type { Projection } from "./projection.js";

/**
 * Rows as they are: for a trace whose own addresses say which alias they mean,
 * and for a machine without private memory when no projection was asked for.
 */
export function passThrough(): Projection {
  return {
    text: undefined,
    conversions: 0,
    project: (source, from, into) => {
      expectInteger("from", from, 0, source.count);
      const end = Math.min(source.count, from + into.capacity - into.count);
      into.pushRows(source, from, end);
      return end;
    },
  };
}
