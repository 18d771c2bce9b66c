/**
 * The built addon against `lib/native/addon-types.ts`. The tables of names are
 * typed by the interfaces, so a member that is added there and not here does
 * not compile, and one that the addon lacks fails here.
 */
import { describe, expect, test } from "vitest";
import { bytesPerRow, LAYOUT } from "../../lib/columns/layout.js";
import { ERROR_CODES } from "../../lib/errors.js";
import { loadAddon } from "../../lib/native/addon.js";
import type {
  NativeAddon,
  NativeDecoder,
  NativeExplorer,
  NativeLiveKvm,
  NativeMappedFile,
  NativeObserver,
  NativeTrial,
  NativeVm,
} from "../../lib/native/addon-types.js";
import { NO_TOTALS } from "../../lib/trace/trace-format.js";
import { CONFIG } from "./native-config.js";

type Member = "method" | "getter";

const ADDON: Record<keyof NativeAddon, "function"> = {
  layout: "function",
  errors: "function",
  strategies: "function",
  preset: "function",
  applicability: "function",
  rules: "function",
  formats: "function",
  detectFormat: "function",
  observedEvents: "function",
  build: "function",
  trials: "function",
  Trial: "function",
  Vm: "function",
  Decoder: "function",
  Observer: "function",
  Explorer: "function",
  LiveKvm: "function",
  MappedFile: "function",
};

const VM: Record<keyof NativeVm, Member> = {
  runSync: "method",
  run: "method",
  abort: "method",
  applied: "method",
  step: "method",
  setMemslot: "method",
  setHostMapping: "method",
  prefault: "method",
  invalidation: "method",
  setMmuPages: "method",
  setMtrr: "method",
  memslots: "method",
  memslot: "method",
  generation: "method",
  dirtyLog: "method",
  setTrace: "method",
  takeTrace: "method",
  clearDirtyLog: "method",
  collectRing: "method",
  resetRings: "method",
  enableCap: "method",
  disableQuirks: "method",
  createVcpu: "method",
  createGuestMemfd: "method",
  guestWrite: "method",
  guestRead: "method",
  setGuestCpuid: "method",
  setGuestRegisters: "method",
  guestRegisters: "method",
  loadGuestCr3: "method",
  setNestedPaging: "method",
  writeGuestMemory: "method",
  readGuestMemory: "method",
  addressByGva: "method",
  accessGva: "method",
  guestFault: "method",
  translate: "method",
  translateBatch: "method",
  walk: "method",
  walkBatch: "method",
  page: "method",
  rmap: "method",
  leaves: "method",
  stats: "method",
  vcpuStats: "method",
  tables: "method",
  dirtyRounds: "method",
  tableList: "method",
  leafCounts: "method",
  rmapCount: "method",
  isPrivate: "method",
  flushes: "method",
  violations: "method",
  advisories: "method",
  judged: "method",
  audit: "method",
  auditEvery: "method",
  coexisting: "method",
  conversions: "method",
  closed: "getter",
  close: "method",
};

const EXPLORER: Record<keyof NativeExplorer, Member> = {
  advance: "method",
  found: "method",
  save: "method",
  restore: "method",
};
const TRIAL: Record<keyof NativeTrial, Member> = {
  events: "method",
  engine: "method",
  floor: "method",
  holds: "method",
  close: "method",
};
const OBSERVER: Record<keyof NativeObserver, Member> = {
  observe: "method",
  totals: "method",
  texts: "method",
};
const DECODER: Record<keyof NativeDecoder, Member> = { decode: "method", totals: "method" };

const MAPPED_FILE: Record<keyof NativeMappedFile, Member> = {
  bytes: "getter",
  head: "method",
  decode: "method",
  close: "method",
};

const LIVE_KVM: Record<keyof NativeLiveKvm, Member> = {
  extension: "method",
  createVm: "method",
  createVcpu: "method",
  enableCap: "method",
  setMemslot: "method",
  createGuestMemfd: "method",
  setMmuPages: "method",
  dirtyLog: "method",
  clearDirtyLog: "method",
  collectRing: "method",
  resetRings: "method",
  setMsr: "method",
  setCpuid: "method",
  registers: "method",
  setRegisters: "method",
  setRflags: "method",
  translate: "method",
  prefault: "method",
  statistic: "method",
  readMemory: "method",
  writeMemory: "method",
  protect: "method",
  unprotect: "method",
  close: "method",
};

const addon = loadAddon();

function membersOf(wrapped: { prototype: object }): Record<string, Member> {
  const descriptors = Object.entries(Object.getOwnPropertyDescriptors(wrapped.prototype));
  return Object.fromEntries(
    descriptors
      .filter(([name]) => name !== "constructor")
      .map(([name, { get }]) => [name, get ? "getter" : "method"]),
  );
}

describe("the addon", () => {
  test("exports exactly the members of NativeAddon", () => {
    const types = Object.fromEntries(Object.entries(addon).map(([name, value]) => [name, typeof value]));
    expect(types).toEqual(ADDON);
  });

  test.each([
    ["Vm", VM],
    ["Decoder", DECODER],
    ["Observer", OBSERVER],
    ["Explorer", EXPLORER],
    ["Trial", TRIAL],
    ["LiveKvm", LIVE_KVM],
    ["MappedFile", MAPPED_FILE],
  ] as const)("gives %s exactly the members of its interface", (name, members) => {
    expect(membersOf(addon[name])).toEqual(members);
  });

  test("says where it was built, in plain values", () => {
    const build = addon.build();
    expect(build).toMatchObject({ nodeApi: 8, layout: LAYOUT.version, standard: 202002 });
    for (const value of Object.values(build)) expect(["string", "number", "boolean"]).toContain(typeof value);
  });
});

describe("a trial", () => {
  test("is refused by a name that is none, and when it is closed", () => {
    expect(() => new addon.Trial("no-such")).toThrow(expect.objectContaining({ code: "ERR_INTERNAL" }));
    const trial = new addon.Trial("hits-plain-1GiB");
    expect(trial.events()).toBe(2 ** 18);
    trial.close();
    trial.close();
    for (const call of ["events", "engine", "floor", "holds"] as const)
      expect(() => trial[call]()).toThrow(expect.objectContaining({ code: "ERR_CLOSED" }));
  });
});

describe("the layout", () => {
  test("is the one that the TypeScript side is written for", () => {
    expect(addon.layout()).toEqual(LAYOUT);
  });

  test("takes 28 bytes for an event, 16 for its extras and 12 for an outcome", () => {
    const { event, extra, outcome } = addon.layout();
    expect([event, extra, outcome].map(bytesPerRow)).toEqual([28, 16, 12]);
  });
});

describe("the error table", () => {
  const rows = addon.errors();

  test("names every error once", () => {
    const names = rows.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^ERR_[A-Z]+(_[A-Z]+)*$/);
  });

  test("is the union that the TypeScript side knows, in its order", () => {
    expect(rows.map(({ name }) => name)).toEqual(ERROR_CODES);
  });

  test.each(rows)("$name has a sentence that starts small and has no full stop", ({ sentence, errno }) => {
    expect(sentence).toMatch(/^[a-z{].*[^.]$/);
    expect(errno).toMatch(/^(E[A-Z0-9]+)?$/);
  });
});

describe("the lists", () => {
  test.each(["strategies", "formats"] as const)("%s have a name and a summary each", (list) => {
    const entries = addon[list]();
    expect(entries.length).toBeGreaterThan(0);
    for (const entry of entries) {
      expect(entry.name).toMatch(/^[a-z0-9-]+$/);
      expect(entry.summary).not.toBe("");
    }
  });

  test("strategies come by name, with what they support and what is wrong with them", () => {
    const strategies = addon.strategies();
    const names = strategies.map(({ name }) => name);
    expect(names).toEqual([...names].sort());
    for (const { flavours, presets, defects, ...rest } of strategies) {
      expect(Object.keys(rest)).toEqual(["name", "summary"]);
      expect([["tdp"], ["rmap"], ["tdp", "rmap"]]).toContainEqual(flavours);
      expect([["attribute"], ["private-shared"], ["attribute", "private-shared"]]).toContainEqual(presets);
      for (const { id, flavours: where } of defects) {
        expect(id).toMatch(/^[A-Z]+[0-9]+[a-z]?$/);
        expect(where).not.toEqual([]);
      }
    }
    expect(strategies.find(({ name }) => name === "v5-as-posted")?.defects).toContainEqual({
      id: "D1b",
      flavours: ["rmap"],
    });
  });

  test("rules come by id, each with a sentence, reasons in full and a source with its version or date", () => {
    const rules = addon.rules();
    const ids = rules.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort());
    for (const { id, sentence, reason, source } of rules) {
      expect(sentence, id).toMatch(/^[a-z].*[^.]$/);
      expect(reason, id).toMatch(/^[A-Z].*\.$/);
      expect(source, id).toMatch(/\w\(\).*v\d+\.\d+/);
    }
  });

  test("every defect that a strategy declares is seen by some rule", () => {
    const seen = addon.rules().flatMap(({ defects }) => defects);
    for (const { name, defects } of addon.strategies()) {
      for (const { id } of defects) expect(seen, `${id} of ${name}`).toContain(id);
    }
  });

  test("every format makes a decoder", () => {
    for (const { name } of addon.formats()) {
      expect(new addon.Decoder(name, "auto").totals()).toEqual(NO_TOTALS);
    }
  });

  test("no format claims bytes that are none", () => {
    expect(addon.detectFormat(new Uint8Array())).toBe("");
  });
});

describe("a VM", () => {
  test("answers each query in the shape of its interface", () => {
    const vm = new addon.Vm(CONFIG);
    const region = { slot: 0, flags: 1, gpa: 0, bytes: 2 ** 21, hva: 2 ** 40, backing: 1 };
    expect(Object.keys(vm.setMemslot(region))).toEqual([
      "outcome",
      "level",
      "tablesRead",
      "sptesChanged",
      "flush",
      "flushedPages",
    ]);
    vm.step(0, 4096, 0, 0, 2);
    const slot = { ...region, dirtyPages: 1, memfd: -1, memfdOffset: 0 };
    expect(vm.memslots()).toEqual([slot]);
    expect(vm.memslot(0)).toEqual(slot);
    for (const absent of [1, 65_536, 2 * 65_536, 2 ** 32 - 1]) expect(vm.memslot(absent)).toBeUndefined();
    expect(vm.dirtyLog(0, true)).toEqual(new BigUint64Array([2n, 0n, 0n, 0n, 0n, 0n, 0n, 0n]));
    expect(vm.walk(4096).map(({ level, isLeaf }) => [level, isLeaf])).toEqual([
      [4, false],
      [3, false],
      [2, false],
      [1, true],
    ]);
    const spte = vm.walk(4096).at(-1)?.spte;
    for (const leaves of [vm.rmap(4096), vm.leaves(false)]) {
      expect(leaves).toEqual({
        gpa: new Float64Array([4096]),
        spte: new BigUint64Array([spte as bigint]),
        level: new Uint8Array([1]),
      });
    }
    expect(vm.tables()).toMatchObject({ roots: 1, byLevel: [0, 1, 1, 1, 1, 0] });
    expect(vm.stats()).toMatchObject({ pf_taken: 1, pages_4k: 1 });
    vm.close();
    expect(vm.closed).toBe(true);
  });
});
