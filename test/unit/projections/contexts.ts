/** Machines that tests project onto. */
import type { ProjectionContext } from "../../../lib/projections/projection.js";

const MiB = 2 ** 20;

/** 16 MiB of RAM, a ROM behind it, one alias bit. */
export const TDX: ProjectionContext = {
  aliases: [0, 2 ** 47],
  kind: "private-shared",
  executeOnly: false,
  memslots: [
    { gpa: 0, bytes: 16 * MiB },
    { gpa: 16 * MiB, bytes: MiB, readonly: true },
  ],
  internalSlots: false,
};

export const XO: ProjectionContext = { ...TDX, kind: "attribute", executeOnly: true };
export const TWO_BITS: ProjectionContext = {
  ...TDX,
  kind: "attribute",
  aliases: [0, 2 ** 46, 2 * 2 ** 46, 3 * 2 ** 46],
};
export const NO_ALIAS: ProjectionContext = { ...TDX, kind: "none", aliases: [0] };
export const SEV: ProjectionContext = { ...TDX, kind: "stripped" };
