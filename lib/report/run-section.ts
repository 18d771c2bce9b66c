/** What a run was asked for, as labelled lines: parts of every report on runs. */
import type { ReplayConfig } from "../replay.js";
import { formatBytes, formatCount } from "./quantities.js";
import { labelled, type Page } from "./text-layout.js";

/** Machine, memory, and where addresses alias, what becomes of it. */
export function configLines(page: Page, config: ReplayConfig): string[] {
  const { addressBits, rootLevel, backing, dirtyLog, memslots } = config;
  const machine = `${addressBits}-bit addresses, ${rootLevel} levels, host pages ${backing ?? "of several sizes"}`;
  const bytes = memslots.reduce((sum, { size }) => sum + Number(size), 0);
  const memory = `${memslots.length} memslots, ${formatBytes(bytes)}, dirty logging ${dirtyLog}`;
  return [
    ...labelled(page, "machine", machine),
    ...labelled(page, "memory", memory),
    ...aliasLines(page, config),
    ...extraLines(page, config),
  ];
}

function aliasLines(page: Page, { alias, project }: ReplayConfig): string[] {
  if (alias.preset === "none") return [];
  const bits = alias.bits.length === 1 ? `bit ${alias.bits[0]}` : `bits ${alias.bits.join(", ")}`;
  return [
    ...labelled(page, "alias", `${alias.preset} (${bits})`),
    ...labelled(page, "projection", PROJECTIONS[project] ?? project),
  ];
}

const PROJECTIONS: Readonly<Record<string, string>> = {
  "as-recorded": "none: the addresses are the trace's own",
  home: "home: RAM through its private alias, everything else through the shared one",
};

/** Each setting that is not what a VM has by itself. */
function extraLines(page: Page, config: ReplayConfig): string[] {
  const { flushProvider, tlb, internalSlots, guestPaging, externalTables, convertOnExit, kernel, host } =
    config;
  const settings = Object.entries(host).map(([name, value]) => `${name}=${value}`);
  const flushes = flushProvider === "none" ? "none: every flush is a full one" : flushProvider;
  return [
    ...labelled(page, "range flush", flushes),
    ...labelled(page, "TLB", tlbText(tlb)),
    ...(internalSlots ? labelled(page, "own slots", "TSS, identity map, APIC access") : []),
    ...(guestPaging === "long" ? [] : labelled(page, "guest paging", guestPaging)),
    ...(externalTables === "ok" ? [] : labelled(page, "mirrored", `the other side is ${externalTables}`)),
    ...(kernel === "6.16" ? [] : labelled(page, "kernel", kernel)),
    ...(settings.length === 0 ? [] : labelled(page, "host", settings.join(", "))),
    ...(convertOnExit ? labelled(page, "on exit", "memory faults are converted and tried again") : []),
  ];
}

function tlbText(tlb: ReplayConfig["tlb"]): string {
  if (tlb === false) return "off";
  if (!("arrays" in tlb)) return `${formatCount(tlb.entries)} entries, ${tlb.ways} ways`;
  const arrays = tlb.arrays.map(
    ({ entries, ways, sizes }) => `${formatCount(entries)} entries of ${sizes.join(" or ")}, ${ways} ways`,
  );
  const links = Object.entries(tlb.pagingStructureCaches).filter(([, count]) => count > 0);
  const parts = [...arrays, ...links.map(([level, count]) => `${count} ${level.toUpperCase()} links`)];
  return `${tlb.preset === undefined ? "" : `${tlb.preset}: `}${parts.join("; ")}`;
}
