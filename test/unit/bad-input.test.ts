// What a VM must refuse, of every method, event and option: each refusal has a code, and changes nothing.
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { createVm, EventBatch, OutcomeBatch, type Vm, type VmConfig, WalkBatch } from "../../lib/index.js";
import { type Loose, type Method, NO_INTEGER, NO_OPTIONS, NO_U64 } from "../support/bad-arguments.js";
import { wholeVm } from "../support/whole-vm.js";
import { GUEST_METHODS } from "./bad-guest-arguments.js";
import { thrownBy } from "./thrown.js";
import { hasAddon } from "./with-addon.js";

const MiB = 2 ** 20;
const HVA = 2 ** 40;
const PLACES = [0, 0x5000, 0x8000, 4 * MiB, 0xd0000000];

/** Slots, a log, mappings, a hole, a watched page, an open window, a trace. */
function aVm(config: VmConfig = {}): Vm {
  const vm = createVm({ vcpus: 2, ...config });
  vm.memslots.add({ gpa: 0, bytes: MiB, hva: HVA, dirtyLog: true });
  vm.memslots.add({ gpa: 4 * MiB, bytes: 4 * MiB, hva: HVA + 4 * MiB, backing: "2M" });
  vm.access(0x5000, "write");
  vm.access(4 * MiB, "read", { vcpu: 1 });
  vm.access(0xd0000000, "read");
  const batch = new EventBatch(2);
  batch.pushOperation("write-track-add", 0x5000, 4096);
  batch.pushOperation("hva-begin", HVA + 0x8000, 4096);
  vm.runSync(batch, new OutcomeBatch(2));
  return vm;
}

/** Refuses with this code, or with any of ours, and changes nothing. */
function refuses(vm: Vm, call: () => unknown, code?: string): void {
  const before = wholeVm(vm, PLACES);
  const error = thrownBy(call);
  expect(String(error["code"])).toMatch(/^ERR_/);
  if (code !== undefined) expect(error["code"]).toBe(code);
  expect(error.message).not.toBe("");
  expect(wholeVm(vm, PLACES)).toBe(before);
}

const slot = (vm: Vm) => vm.memslots.get(0) as NonNullable<ReturnType<Vm["memslots"]["get"]>>;
const region = { slot: 9, flags: 0, gpa: 64 * MiB, bytes: MiB, hva: HVA };
const without = <T extends object>(all: T, key: keyof T) => ({ ...all, [key]: undefined });
const NO_REGION = [
  null,
  {},
  "slot",
  { ...region, slto: 1 },
  ...(["slot", "flags", "gpa", "bytes", "hva"] as const).flatMap((key) => [
    without(region, key),
    ...NO_INTEGER.map((bad) => ({ ...region, [key]: bad })),
  ]),
  { ...region, backing: "3M" },
  { ...region, memfd: "0" },
  { ...region, memfdOffset: -1 },
];
const NO_SPEC = [
  null,
  {},
  "gpa",
  { gpa: 64 * MiB, bytes: MiB, gap: 1 },
  ...NO_INTEGER.flatMap((bad) => [
    { gpa: bad, bytes: MiB },
    { gpa: 64 * MiB, bytes: bad },
    { gpa: 64 * MiB, bytes: MiB, id: bad },
    { gpa: 64 * MiB, bytes: MiB, asId: bad === null ? "0" : bad },
    { gpa: 64 * MiB, bytes: MiB, hva: bad },
  ]),
  { gpa: 64 * MiB, bytes: MiB, id: 0 },
  { gpa: 64 * MiB, bytes: MiB, backing: "3M" },
  { gpa: 64 * MiB, bytes: MiB, readonly: 1 },
  { gpa: 64 * MiB, bytes: MiB, dirtyLog: "yes" },
].filter((spec) => !(spec !== null && typeof spec === "object" && "asId" in spec && spec.asId === true));
const NO_MAPPING = [
  null,
  1,
  { state: "gone" },
  { pfn: -1 },
  { pfn: "1" },
  { level: 4 },
  { level: 0 },
  { reset: 1 },
];

const METHODS: readonly Method[] = [
  {
    name: "enableCap",
    of: (vm) => vm.enableCap.bind(vm) as Loose,
    args: [
      [168, NO_INTEGER],
      [1, NO_U64],
      [0, NO_INTEGER],
    ],
  },
  { name: "disableQuirks", of: (vm) => vm.disableQuirks.bind(vm) as Loose, args: [[0, NO_U64]] },
  {
    name: "createVcpu",
    of: (vm) => vm.createVcpu.bind(vm) as Loose,
    args: [[7, [...NO_INTEGER, 0, 1, 65_536]]],
  },
  {
    name: "createGuestMemfd",
    of: (vm) => vm.createGuestMemfd.bind(vm) as Loose,
    args: [
      [4096, [...NO_U64, 0, 4095]],
      [0, [...NO_INTEGER, 2]],
    ],
  },
  {
    name: "collectRing",
    of: (vm) => vm.collectRing.bind(vm) as Loose,
    args: [
      [0, NO_INTEGER],
      [0, NO_INTEGER],
    ],
  },
  {
    name: "setMtrr",
    of: (vm) => vm.setMtrr.bind(vm) as Loose,
    args: [
      [0x2ff, NO_INTEGER],
      [0, NO_U64],
    ],
  },
  {
    name: "guestWrite",
    of: (vm) => vm.guestWrite.bind(vm) as Loose,
    args: [
      [0, NO_U64],
      [1, [...NO_INTEGER, 2 ** 30 + 1]],
      [0, [...NO_INTEGER, 2]],
    ],
  },
  {
    name: "guestRead",
    of: (vm) => vm.guestRead.bind(vm) as Loose,
    args: [
      [0, NO_U64],
      [1, [...NO_INTEGER, 2 ** 30 + 1]],
    ],
  },
  ...GUEST_METHODS,
  {
    name: "access",
    of: (vm) => vm.access.bind(vm) as Loose,
    args: [
      [0, [...NO_INTEGER, 2 ** 48]],
      ["read", [null, "", "exec", [], ["read", "rite"], 1]],
      [{}, NO_OPTIONS],
    ],
  },
  {
    name: "zap",
    of: (vm) => vm.zap.bind(vm) as Loose,
    args: [
      [0, [...NO_INTEGER, 1, 2 ** 48]],
      [4096, [...NO_INTEGER, 0, 1, 2 ** 49]],
    ],
  },
  {
    name: "invalidateHva",
    of: (vm) => vm.invalidateHva.bind(vm) as Loose,
    args: [
      [HVA, [...NO_INTEGER, 1, 2 ** 52]],
      [4096, [...NO_INTEGER, 0, 1]],
    ],
  },
  {
    name: "setHostMapping",
    of: (vm) => vm.setHostMapping.bind(vm) as Loose,
    args: [
      [HVA, [...NO_INTEGER, 1, 2 ** 52]],
      [4096, [...NO_INTEGER, 0, 1]],
      [{ state: "none" }, NO_MAPPING],
    ],
  },
  {
    name: "prefault",
    of: (vm) => vm.prefault.bind(vm) as Loose,
    args: [
      [0, [...NO_INTEGER, 2 ** 48]],
      [4096, NO_INTEGER],
      [{}, NO_OPTIONS],
    ],
  },
  { name: "setMmuPages", of: (vm) => vm.setMmuPages.bind(vm) as Loose, args: [[64, [...NO_INTEGER, 0, 63]]] },
  {
    name: "setAttributes",
    of: (vm) => vm.setAttributes.bind(vm) as Loose,
    args: [
      [0, [...NO_INTEGER, 1, 2 ** 48]],
      [4096, [...NO_INTEGER, 0, 1]],
      ["private", [null, "mine", 1]],
    ],
  },
  { name: "setTrace", of: (vm) => vm.setTrace.bind(vm) as Loose, args: [[false, [1, "6.2", null, {}]]] },
  {
    name: "run batches",
    of: (vm) => vm.runSync.bind(vm) as Loose,
    args: [
      [new EventBatch(1), [null, {}, [], new EventBatch(2)]],
      [new OutcomeBatch(1), [null, {}, new OutcomeBatch(2)]],
    ],
  },
  {
    name: "memslots.add",
    of: (vm) => vm.memslots.add.bind(vm.memslots) as Loose,
    args: [[{ gpa: 64 * MiB, bytes: MiB }, NO_SPEC]],
  },
  {
    name: "memslots.set",
    of: (vm) => vm.memslots.set.bind(vm.memslots) as Loose,
    args: [[region, NO_REGION]],
  },
  {
    name: "memslots.get",
    of: (vm) => vm.memslots.get.bind(vm.memslots) as Loose,
    args: [
      [0, NO_INTEGER],
      [0, NO_INTEGER],
    ],
  },
  {
    name: "memslots.at",
    of: (vm) => vm.memslots.at.bind(vm.memslots) as Loose,
    args: [[0, NO_INTEGER.filter((value) => value !== "1")]],
  },
  {
    name: "slot.setDirtyLogging",
    of: (vm) => slot(vm).setDirtyLogging.bind(slot(vm)) as Loose,
    args: [[true, [1, null, "on"]]],
  },
  {
    name: "slot.takeDirtyLog",
    of: (vm) => slot(vm).takeDirtyLog.bind(slot(vm)) as Loose,
    args: [[{}, [null, 1, { copyFail: true }, { copyFails: 1 }]]],
  },
  {
    name: "slot.clearDirtyLog",
    of: (vm) => slot(vm).clearDirtyLog.bind(slot(vm)) as Loose,
    args: [
      [0, [...NO_INTEGER, 32, 512]],
      [64, [...NO_INTEGER, 63, 512]],
      [new BigUint64Array(1), [null, 1, [1n], new BigUint64Array(0), new Uint8Array(8)]],
    ],
  },
  {
    name: "slot.move",
    of: (vm) => slot(vm).move.bind(slot(vm)) as Loose,
    args: [[64 * MiB, [...NO_INTEGER, 1, 4 * MiB]]],
  },
  { name: "page", of: (vm) => vm.page.bind(vm) as Loose, args: [[0, [...NO_INTEGER, 2 ** 48]]] },
  { name: "walk", of: (vm) => vm.walk.bind(vm) as Loose, args: [[0, [...NO_INTEGER, 2 ** 48]]] },
  {
    name: "walkBatch",
    of: (vm) => vm.walkBatch.bind(vm) as Loose,
    args: [
      [
        new WalkBatch(2),
        [
          null,
          {},
          [0],
          new Float64Array(2),
          Object.assign(new WalkBatch(2), { count: 3 }),
          Object.assign(new WalkBatch(2), { count: "1" }),
          ...[-1, 0.5, 2 ** 48, Number.NaN, Number.POSITIVE_INFINITY].map((gpa) => {
            const batch = new WalkBatch(2);
            batch.gpa[1] = gpa;
            return batch;
          }),
        ],
      ],
    ],
  },
  { name: "rmap", of: (vm) => vm.rmap.bind(vm) as Loose, args: [[0, [...NO_INTEGER, 2 ** 48]]] },
  { name: "rmapCount", of: (vm) => vm.rmapCount.bind(vm) as Loose, args: [[0, [...NO_INTEGER, 2 ** 48]]] },
  { name: "isPrivate", of: (vm) => vm.isPrivate.bind(vm) as Loose, args: [[0, [...NO_INTEGER, 2 ** 48]]] },
  { name: "auditEvery", of: (vm) => vm.auditEvery.bind(vm) as Loose, args: [[1, [...NO_INTEGER, -1]]] },
  { name: "vcpuStats", of: (vm) => vm.vcpuStats.bind(vm) as Loose, args: [[0, [...NO_INTEGER, 2]]] },
  { name: "generation", of: (vm) => vm.generation.bind(vm) as Loose, args: [[0, [...NO_INTEGER, 2]]] },
];

describe.skipIf(!hasAddon)("a value that cannot be", () => {
  test.each(METHODS.map((method) => [method.name, method] as const))(
    "%s refuses each, and nothing has changed",
    (_, { of, args }) => {
      for (const config of [
        {},
        { mmu: "rmap" },
        { alias: { strategy: "mirror", preset: "tdx47" } },
      ] as const) {
        using vm = aVm(config);
        for (const [at, [, bad]] of args.entries()) {
          for (const value of bad) {
            const values = args.map(([good], other) => (other === at ? value : good));
            const shown = inspect(value);
            expect(() => refuses(vm, () => of(vm)(...values)), `argument ${at}: ${shown}`).not.toThrow();
          }
        }
      }
    },
  );

  test("every method that changes a VM is in the table", () => {
    using vm = createVm();
    const methods = (object: object): string[] => {
      const own = Object.getOwnPropertyNames(object);
      const parent = Object.getPrototypeOf(object) as object | null;
      return parent === null || parent === Object.prototype ? own : [...own, ...methods(parent)];
    };
    const asked = new Set(METHODS.flatMap(({ name }) => name.split(".").at(-1) ?? []));
    const takesNothing = [
      "close",
      "zapAll",
      "takeDirtyLogs",
      "takeTrace",
      "resetRings",
      "stats",
      "tables",
      "tableList",
    ];
    const others = [
      "leafCounts",
      "flushes",
      "violations",
      "advisories",
      "judged",
      "audit",
      "invalidation",
      "coexisting",
      "conversionsOnExit",
      "dirtyRounds",
    ];
    // Below, as a batch; and an option alone.
    const elsewhere = ["accessByGva", "run", "runSync", "leaves", "gpaWithin", "constructor"];
    const known = new Set([...asked, ...takesNothing, ...others, ...elsewhere]);
    const facade = Object.getPrototypeOf(vm) as object;
    const found = methods(facade).filter(
      (name) => typeof Object.getOwnPropertyDescriptor(vm, name)?.get !== "function",
    );
    const fields = ["closed", "config", "preset", "memslots", "memory"];
    expect([...new Set(found)].filter((name) => !known.has(name) && !fields.includes(name))).toEqual([]);
  });
});
