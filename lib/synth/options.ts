/**
 * Options of a workload: checked, and completed by its own defaults and by
 * those of the selftests.
 */
import {
  GiB,
  type Gpa,
  levelOfPageSize,
  MAX_ADDRESS_BITS,
  MiB,
  PAGE_BYTES,
  type PageSize,
} from "../address.js";
import { expectInteger, expectKeys, outOfRange, wrongType } from "../expect.js";
import type { WorkloadOptions } from "./workload-options.js";

/** What is asked of a workload. Letters are those of KVM's selftests, which the command takes too. */
export interface SynthOptions {
  /** -b: bytes of memory per vCPU, a multiple of 4096. @default 64 MiB; 16 MiB for `sparse` */
  readonly bytes?: number;
  /** -v: 1 to 4096. @default 1 */
  readonly vcpus?: number;
  /** -f: one access in so many writes, and the others read. @default 1 */
  readonly writeFraction?: number;
  /** -w, of newer selftests: 0 to 100 accesses of a hundred write. @default 100 */
  readonly writePercent?: number;
  /** Every vCPU uses all memory, and not a part of its own. @default false */
  readonly overlap?: boolean;
  /** -x: memslots that the memory is split into evenly. @default 1; 1024 for `sparse` */
  readonly slots?: number;
  /** -s: largest page of the host. @default "4K" */
  readonly backing?: PageSize;
  /** -i: what it means is the workload's. @default the workload's own */
  readonly iterations?: number;
  /** -p: where the memory begins. @default 4 GiB */
  readonly offset?: Gpa;
  /** Address bit that stands for shared memory, for `conversion-storm`. @default 47 */
  readonly aliasBit?: number;
  /** Which choices are made: 0 to 2^53 - 1. @default 1 */
  readonly seed?: number;
  /** At most so many events. @default no bound */
  readonly events?: number;
}

const KEYS = [
  "bytes",
  "vcpus",
  "writeFraction",
  "writePercent",
  "overlap",
  "slots",
  "backing",
  "iterations",
  "offset",
  "aliasBit",
  "seed",
  "events",
] as const;
const MAX = Number.MAX_SAFE_INTEGER;
const MAX_VCPUS = 4096;
/** KVM_USER_MEM_SLOTS on x86. */
const MAX_SLOTS = 32_764;
const ADDRESSES = 2 ** MAX_ADDRESS_BITS;

const DEFAULTS: WorkloadOptions = {
  bytes: 64 * MiB,
  vcpus: 1,
  writes: 1,
  overlap: false,
  slots: 1,
  backing: "4K",
  iterations: 1,
  offset: 4 * GiB,
  aliasBit: 47,
  seed: 1,
  events: MAX,
};

/** @throws TypeError or RangeError with code `ERR_CONFIG` */
export function resolveOptions(given: SynthOptions, own: Partial<WorkloadOptions>): WorkloadOptions {
  expectKeys("synthesize", given, KEYS);
  const base = { ...DEFAULTS, ...own };
  const { overlap = base.overlap, backing = base.backing } = given;
  if (typeof overlap !== "boolean") throw wrongType("overlap", "true or false", overlap);
  if (levelOfPageSize(backing) === undefined) throw wrongType("backing", `"4K", "2M" or "1G"`, backing);
  const integer = (
    name: "vcpus" | "slots" | "iterations" | "aliasBit" | "seed" | "events",
    min: number,
    max: number,
  ) => expectInteger(name, given[name] ?? base[name], min, max);
  return {
    bytes: pagesIn("bytes", given.bytes ?? base.bytes, PAGE_BYTES),
    offset: pagesIn("offset", given.offset ?? base.offset, 0),
    vcpus: integer("vcpus", 1, MAX_VCPUS),
    slots: integer("slots", 1, MAX_SLOTS),
    iterations: integer("iterations", 1, 2 ** 32),
    aliasBit: integer("aliasBit", 12, MAX_ADDRESS_BITS - 1),
    seed: integer("seed", 0, MAX),
    events: integer("events", 1, MAX),
    writes: writesOf(given, base.writes),
    overlap,
    backing,
  };
}

function writesOf({ writeFraction, writePercent }: SynthOptions, otherwise: number): number {
  if (writeFraction === undefined && writePercent === undefined) return otherwise;
  if (writePercent === undefined) return 1 / expectInteger("writeFraction", writeFraction, 1, 2 ** 31);
  if (writeFraction !== undefined)
    throw wrongType("writePercent", "left out where there is writeFraction", writePercent);
  return expectInteger("writePercent", writePercent, 0, 100) / 100;
}

function pagesIn(name: string, value: unknown, min: number): number {
  const bytes = expectInteger(name, value, min, ADDRESSES);
  if (bytes % PAGE_BYTES !== 0) throw outOfRange(name, "a multiple of 4096", bytes);
  return bytes;
}
