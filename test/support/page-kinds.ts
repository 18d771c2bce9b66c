/** Every kind of page that a guest's tables can map, for rules that hold for each. */
import type { Shape } from "../oracle/reference-walker/modes.js";
import { ADDRESS, type AGuest, FRAME, LARGE, type Making, PWU } from "./a-guest.js";

export interface PageKind {
  readonly name: string;
  readonly mode: Shape["mode"];
  readonly level: number;
}

const kind = (mode: PageKind["mode"], level: number, size: string): PageKind => ({
  name: `${mode}, ${size}`,
  mode,
  level,
});

export const PAGE_KINDS: readonly PageKind[] = [
  kind("32-bit", 1, "4 KiB"),
  kind("32-bit", 2, "4 MiB"),
  kind("pae", 1, "4 KiB"),
  kind("pae", 2, "2 MiB"),
  kind("4-level", 1, "4 KiB"),
  kind("4-level", 2, "2 MiB"),
  kind("4-level", 3, "1 GiB"),
  kind("5-level", 1, "4 KiB"),
  kind("5-level", 2, "2 MiB"),
  kind("5-level", 3, "1 GiB"),
];

/** Whose entries have 8 bytes. */
export const WIDE_KINDS = PAGE_KINDS.filter(({ mode }) => mode !== "32-bit");
export const LONG_KINDS = WIDE_KINDS.filter(({ mode }) => mode !== "pae");

/** One page with these bits, and PS where its size wants it; what leads to it has every right. */
export function mapped(
  Guest: typeof AGuest,
  { mode, level }: PageKind,
  bits: bigint = PWU,
  making: Making = {},
): AGuest {
  const guest = new Guest(mode, making);
  // CR4's own bits of the mode stay where a test adds others.
  const cr4 = guest.registers.cr4 | new Guest(mode).registers.cr4;
  guest.registers = { ...guest.registers, cr4 };
  return guest.map(bits | FRAME | (level > 1 ? LARGE : 0n), level, ADDRESS);
}
