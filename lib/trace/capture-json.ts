/**
 * The `.json` beside a capture, and memslot files in general.
 *
 * A capture's file says what backed the guest's memory and how often the
 * recorder reset its mappings; a plain array lists memslots only. It must not
 * know VMs: what it returns is data.
 */
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  alignUp,
  type Gpa,
  levelOfPageSize,
  type PageSize,
  parseGpa,
  parseHva,
  parseSize,
  TiB,
} from "../address.js";
import { TraceError } from "../errors.js";
import { expectInteger, expectKeys, outOfRange, wrongType } from "../expect.js";
import { ID_STEP, MEMSLOT_FLAGS } from "../memslot-numbers.js";

/** A memslot that a file describes, ready for `vm.memslots.add`. */
export interface MemslotDescription {
  readonly id: number;
  readonly asId: number;
  readonly gpa: Gpa;
  readonly bytes: number;
  readonly hva?: number;
  readonly backing?: PageSize;
  readonly readonly: boolean;
  readonly dirtyLog: boolean;
}

/** What the file beside a capture says. */
export interface Capture {
  readonly path: string;
  readonly memslots: readonly MemslotDescription[];
  /** Highest vCPU id that the recorder saw, plus one. */
  readonly vcpus: number | undefined;
  /** Dirty-log rounds among the capture's markers. */
  readonly dirtyRounds: number | undefined;
  /** The guest's bounce buffer (swiotlb), the end excluded; undefined if its kernel reported none. */
  readonly bounce: { readonly start: Gpa; readonly end: Gpa } | undefined;
}

const { logDirty, readonly } = MEMSLOT_FLAGS;
const SLOT_KEYS = ["slot", "gpa", "size", "flags", "hva", "backing", "readonly", "region", "offset"] as const;
/** What a trace may be called beside NAME.json. */
const TRACE_SUFFIX = /\.(faults\.bin|kvm_page_fault\.txt|access\.u64)(\.(br|gz))?$/;
const DIRTY_LOG_MARKER = "2";
/** Linux: swiotlb_print_info(); its second address is where the buffer ends. */
const SWIOTLB_LINE = /^mapped \[mem (0x[0-9a-f]+)-(0x[0-9a-f]+)\]/;

/** Path of the `.json` that belongs to a trace, by its name; undefined if the name has no such form. */
export function captureJsonPath(tracePath: string): string | undefined {
  const name = basename(tracePath);
  if (!TRACE_SUFFIX.test(name)) return undefined;
  return join(dirname(tracePath), name.replace(TRACE_SUFFIX, ".json"));
}

/**
 * The capture that a trace belongs to; undefined if there is no file beside it. A recorder's NAME.json goes before
 * the TRACE.json that gpalias itself writes.
 */
export async function findCapture(tracePath: string | undefined): Promise<Capture | undefined> {
  if (tracePath === undefined) return undefined;
  for (const path of [captureJsonPath(tracePath), `${tracePath}.json`]) {
    const text = path === undefined ? undefined : await readIfThere(path);
    if (path !== undefined && text !== undefined) return asBadInput(() => captureIn(text, path));
  }
  return undefined;
}

/**
 * Memslots from a file: a capture's `.json`, or an array of
 * `{slot, gpa, size}` with, if need be, `flags`, `hva`, `backing`, `readonly`,
 * or `region` and `offset`; hex strings or numbers.
 *
 * @throws (rejects) TraceError naming file, entry and field; the system's
 * error if the file cannot be read
 */
export async function readMemslots(path: string): Promise<readonly MemslotDescription[]> {
  const text = await textOf(path);
  return asBadInput(() => {
    const json = parseJson(text, path);
    return memslotsIn(Array.isArray(json) ? json : propertyOf(json, "memslots"), path);
  });
}

// What is wrong with a file is bad input, not a caller's mistake.
function asBadInput<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new TraceError(cause.message, { format: "memslots", cause });
  }
}

function captureIn(text: string, path: string): Capture {
  const json = parseJson(text, path);
  const slots = propertyOf(json, "memslots");
  const markers = propertyOf(json, "markers_by_kind");
  return {
    path,
    memslots: memslotsIn(slots, path),
    vcpus: vcpusIn(json),
    dirtyRounds: isRecord(markers) ? Number(markers[DIRTY_LOG_MARKER] ?? 0) : undefined,
    bounce: bounceIn(propertyOf(json, "swiotlb"), `${path}: swiotlb`),
  };
}

function bounceIn(lines: unknown, where: string): Capture["bounce"] {
  const texts: readonly unknown[] = Array.isArray(lines) ? lines : [];
  const [, first, last] = texts.map((line) => SWIOTLB_LINE.exec(String(line))).find(Boolean) ?? [];
  if (first === undefined || last === undefined) return undefined;
  const [start, end] = [parseGpa(first, where), parseSize(last, where)];
  if (start < end) return { start, end };
  throw outOfRange(where, "a range that ends behind its start", `${first}-${last}`);
}

function memslotsIn(slots: unknown, path: string): readonly MemslotDescription[] {
  if (!Array.isArray(slots) || slots.length === 0) {
    throw wrongType(path, `a non-empty array of memslots, or an object with one under "memslots"`, slots);
  }
  const regions = regionStarts(slots, path);
  return slots.map((slot, index) => memslotIn(slot, `${path}: memslots[${index}]`, regions));
}

function memslotIn(entry: unknown, where: string, regions: ReadonlyMap<string, number>): MemslotDescription {
  expectKeys(where, entry, SLOT_KEYS);
  const slot = entry as Record<string, unknown>;
  const number = expectInteger(`${where}.slot`, slot["slot"], 0, 2 ** 32 - 1);
  const flags = expectInteger(`${where}.flags`, slot["flags"] ?? 0, 0, logDirty + readonly);
  const hva = hvaIn(slot, where, regions);
  const backing = backingIn(slot["backing"], where);
  return {
    id: number % ID_STEP,
    asId: Math.floor(number / ID_STEP),
    gpa: parseGpa(slot["gpa"] as string, `${where}.gpa`),
    bytes: parseSize(slot["size"] as string, `${where}.size`),
    readonly: slot["readonly"] === true || flags >= readonly,
    dirtyLog: flags % readonly === logDirty,
    ...(hva !== undefined && { hva }),
    ...(backing !== undefined && { backing }),
  };
}

function hvaIn(slot: Record<string, unknown>, where: string, regions: ReadonlyMap<string, number>) {
  if (slot["hva"] !== undefined) return parseHva(slot["hva"] as string, `${where}.hva`);
  const start = regions.get(String(slot["region"]));
  return start === undefined ? undefined : start + parseSize(slot["offset"] as string, `${where}.offset`);
}

function backingIn(backing: unknown, where: string): PageSize | undefined {
  if (backing === undefined || levelOfPageSize(backing) !== undefined) return backing as PageSize | undefined;
  throw wrongType(`${where}.backing`, `"4K", "2M" or "1G"`, backing);
}

// Where each region of host memory starts: the first at 1 TiB, each next one
// at the first free multiple of 1 TiB, in order of appearance.
function regionStarts(slots: readonly unknown[], path: string): ReadonlyMap<string, number> {
  const ends = new Map<string, number>();
  for (const slot of slots) {
    if (!isRecord(slot) || slot["region"] === undefined) continue;
    const offset = parseSize(slot["offset"] as string, `${path}: offset`);
    const end = offset + parseSize(slot["size"] as string, `${path}: size`);
    const region = String(slot["region"]);
    ends.set(region, Math.max(ends.get(region) ?? 0, end));
  }
  const starts = new Map<string, number>();
  let next = TiB;
  for (const [region, end] of ends) {
    starts.set(region, next);
    next += alignUp(Math.max(end, 1), TiB);
  }
  return starts;
}

function vcpusIn(json: unknown): number | undefined {
  const faults = propertyOf(json, "by_vcpu");
  const plugin = propertyOf(json, "plugin_vcpus");
  const ids = isRecord(faults) ? Object.keys(faults).map(Number) : [];
  if (Array.isArray(plugin)) ids.push(plugin.length - 1);
  return ids.length === 0 || ids.some(Number.isNaN) ? undefined : Math.max(...ids) + 1;
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw wrongType(path, "JSON", error instanceof Error ? error.message : error);
  }
}

function propertyOf(json: unknown, key: string): unknown {
  return isRecord(json) ? json[key] : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await textOf(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

// An error of reading, unlike one of opening, does not say which file it was.
async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (!(error instanceof Error) || "path" in error) throw error;
    throw Object.assign(error, { path, message: `${error.message} '${path}'` });
  }
}
