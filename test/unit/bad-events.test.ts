// Rows of a batch that cannot be, of every kind; options of a VM that cannot be; and what KVM itself refuses. Each
// refusal has a code, and has changed nothing.
import { describe, expect, test } from "vitest";
import {
  createVm,
  EVENT_KINDS,
  EventBatch,
  type EventKind,
  OutcomeBatch,
  type Vm,
  type VmConfig,
} from "../../lib/index.js";
import { wholeVm } from "../support/whole-vm.js";
import { thrownBy } from "./thrown.js";
import { hasAddon } from "./with-addon.js";

const MiB = 2 ** 20;
const HVA = 2 ** 40;
const PLACES = [0, 0x5000, 4 * MiB, 0xd0000000];

function aVm(config: VmConfig = {}): Vm {
  const vm = createVm({ vcpus: 2, ...config });
  vm.memslots.add({ gpa: 0, bytes: MiB, hva: HVA, dirtyLog: true });
  vm.access(0x5000, "write");
  vm.access(0xd0000000, "read");
  return vm;
}

interface Row {
  readonly gpa?: number;
  readonly bytes?: number;
  readonly vcpu?: number;
  readonly access?: number;
}

const NO_ADDRESS = [Number.NaN, -1, -4096, Number.POSITIVE_INFINITY, 2 ** 53, 2 ** 60];
const atGpa = (values: readonly number[]): Row[] => values.map((gpa) => ({ gpa }));
const ofBytes = (values: readonly number[]): Row[] => values.map((bytes) => ({ bytes }));
const RANGE = [...atGpa([...NO_ADDRESS, 1, 0.5]), ...ofBytes([...NO_ADDRESS, 1, 0.5])];
const GUEST = [...RANGE, { gpa: 2 ** 48 }, { gpa: 2 ** 48 - 4096, bytes: 8192 }];
const HOST = [...RANGE, { gpa: 2 ** 52 }, { gpa: 2 ** 52 - 4096, bytes: 8192 }];
const NO_VCPU = [{ vcpu: 2 }, { vcpu: 65_535 }];
const EMPTY = { bytes: 0 };

/** What a row of each kind would do with, and with which changes it would not. */
const KINDS: Readonly<Record<EventKind, readonly [good: Row, bad: readonly Row[]]>> = {
  access: [
    { access: 1 },
    [...atGpa([...NO_ADDRESS, 0.5, 2 ** 48]), ...NO_VCPU, { access: 0 }, { access: 8 }, { access: 255 }],
  ],
  zap: [{ bytes: 4096 }, [...GUEST, EMPTY]],
  "zap-all-fast": [{}, GUEST],
  "dirty-log-get": [{}, GUEST],
  "dirty-log-enable": [{}, GUEST],
  "dirty-log-disable": [{}, GUEST],
  end: [{}, GUEST],
  "hva-invalidate": [{ gpa: HVA, bytes: 4096 }, [...HOST, EMPTY]],
  attributes: [{ bytes: 4096, access: 1 }, [...GUEST, EMPTY, { access: 4 }, { access: 255 }]],
  "hva-begin": [{ gpa: HVA, bytes: 4096 }, [...HOST, EMPTY]],
  "hva-end": [{ gpa: HVA, bytes: 4096 }, [...HOST, EMPTY]],
  age: [{ gpa: HVA, bytes: 4096 }, [...HOST, EMPTY]],
  "test-age": [{ gpa: HVA, bytes: 4096 }, [...HOST, EMPTY]],
  "dirty-log-clear": [{}, GUEST],
  "dirty-ring-reset": [{}, GUEST],
  "write-track-add": [{ bytes: 4096 }, [...GUEST, EMPTY]],
  "write-track-remove": [{ bytes: 4096 }, [...GUEST, EMPTY]],
  prefault: [{ bytes: 4096 }, [...GUEST, EMPTY, ...NO_VCPU]],
  "vcpu-tlb-flush": [{}, NO_VCPU],
  "async-ready": [{}, NO_VCPU],
  "nx-recover": [{}, GUEST],
};

/** A batch whose last row is this one, behind two that would change the VM. */
function behindGood(kind: number, row: Row): EventBatch {
  const batch = new EventBatch(3);
  batch.pushAccess(0x7000, "write");
  batch.pushOperation("zap", 0, MiB);
  batch.pushRow(kind, row.gpa ?? 0, row.bytes ?? 0, row.vcpu ?? 0, row.access ?? 0);
  return batch;
}

function refusesBatch(vm: Vm, kind: number, row: Row): void {
  const before = wholeVm(vm, PLACES);
  const outcomes = new OutcomeBatch(3);
  const error = thrownBy(() => vm.runSync(behindGood(kind, row), outcomes));
  expect(error, JSON.stringify(row)).toMatchObject({ code: "ERR_EVENT", values: { row: 2 } });
  expect(outcomes.count).toBe(0);
  expect(wholeVm(vm, PLACES), JSON.stringify(row)).toBe(before);
}

describe.skipIf(!hasAddon)("a row that cannot be", () => {
  test("every kind is in the table", () => {
    expect(Object.keys(KINDS)).toEqual([...EVENT_KINDS]);
  });

  test.each(EVENT_KINDS.map((kind, number) => [kind, number] as const))(
    "of kind %s has its batch refused whole",
    (kind, number) => {
      const alias = kind === "attributes" ? { strategy: "precise", preset: "tdx47" } : {};
      const [good, bad] = KINDS[kind];
      for (const mmu of ["tdp", "rmap"] as const) {
        using vm = aVm({ mmu, alias });
        for (const row of bad) refusesBatch(vm, number, { ...good, ...row });
        // What is not changed would do.
        vm.runSync(behindGood(number, good), new OutcomeBatch(3));
      }
    },
  );

  test("an unknown kind too, and attributes where there are none", () => {
    using vm = aVm();
    for (const kind of [EVENT_KINDS.length, 128, 255]) refusesBatch(vm, kind, {});
    refusesBatch(vm, EVENT_KINDS.indexOf("attributes"), { bytes: 4096, access: 1 });
  });

  test("a range of frames has no alias bits, an access has", () => {
    using vm = aVm({ alias: { strategy: "stolen-bits", preset: "bits:47" } });
    for (const kind of ["zap", "write-track-add", "dirty-log-get"] as const) {
      refusesBatch(vm, EVENT_KINDS.indexOf(kind), { gpa: 2 ** 47, bytes: 4096 });
      refusesBatch(vm, EVENT_KINDS.indexOf(kind), { gpa: 2 ** 47 - 4096, bytes: 8192 });
    }
    expect(vm.access(2 ** 47, "read").result).toBe("fixed");
  });
});

const flags = [
  "adBits",
  "pml",
  "nxHugePages",
  "eagerPageSplit",
  "mmioCaching",
  "l1tf",
  "memoryTypes",
] as const;
const moreFlags = ["slotZapAll", "asyncPageFaults", "apicv"] as const;
const NO_NUMBER: readonly unknown[] = [Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY, "4", {}, true];
const NO_FLAG: readonly unknown[] = [0, 1, "true", {}, []];
const NO_WORD: readonly unknown[] = [0, 1, "", "nonsense", {}, true];
const each = (option: string, values: readonly unknown[]) => values.map((value) => [option, value] as const);

const BAD_OPTIONS: readonly (readonly [string, unknown])[] = [
  ...each("addressBits", [...NO_NUMBER, 31, 53]),
  ...each("rootLevel", [...NO_NUMBER, 3, 6]),
  ...each("hostMaxphyaddr", [...NO_NUMBER, 35, 53, 47]),
  ...each("vcpus", [...NO_NUMBER, 65_537]),
  ...each("arenaBytes", [...NO_NUMBER, 0, 2 ** 17, 2 ** 45]),
  ...["mmu", "guestPaging", "kernel", "flushProvider", "externalTables"].flatMap((option) =>
    each(option, NO_WORD),
  ),
  ...each("flushProvider", ["fail:0", "fail:-1", "fail:", "fail:x", "hyper-v"]),
  ...each("externalTables", ["busy:0", "busy:", "fail:x"]),
  ...each("alias", [1, "tdx47", { preset: "tdx46" }, { preset: 1 }, { strategy: 1 }, { strateg: "none" }]),
  ...each(
    "alias",
    ["bits:30", "bits:52", "bits:", "xo:47x", "vtom:3T", "cca:"].map((preset) => ({ preset })),
  ),
  ...each("tlb", [
    1,
    "yes",
    { entries: 0 },
    { ways: 0 },
    { ways: 65 },
    { entries: 13, ways: 12 },
    { sets: 1 },
  ]),
  ...["internalSlots", "convertOnExit"].flatMap((option) => each(option, NO_FLAG)),
  ...each("host", [1, "intel", { vendor: "via" }, { vendor: 1 }, { adbits: true }]),
  ...[...flags, ...moreFlags].flatMap((flag) =>
    each(
      "host",
      NO_FLAG.map((value) => ({ [flag]: value })),
    ),
  ),
  ...each("hots", [{}, undefined]),
];

describe.skipIf(!hasAddon)("an option that cannot be", () => {
  test.each(BAD_OPTIONS)("%s: %j is refused by its name", (option, value) => {
    const error = thrownBy(() => createVm({ [option]: value } as VmConfig));
    expect(error["code"]).toMatch(/^ERR_(CONFIG|UNKNOWN_STRATEGY)$/);
    expect(error.message).not.toBe("");
  });

  test("every flag of the host is in the table", () => {
    using vm = createVm();
    expect(Object.keys(vm.config.host).sort()).toEqual(["vendor", ...flags, ...moreFlags].sort());
  });

  test.each([
    [{ alias: { strategy: "mirror", preset: "bits:47" } }],
    [{ alias: { strategy: "mirror", preset: "tdx47" }, mmu: "rmap" }],
    [{ alias: { strategy: "mirror", preset: "tdx47" }, flushProvider: "hyperv" }],
    [{ alias: { strategy: "stolen-bits", preset: "sev:47" } }],
    [{ alias: { strategy: "stolen-bits", preset: "bits:47" }, guestPaging: "32" }],
  ] as const)("nor do %j go together", (config) => {
    expect(thrownBy(() => createVm(config))["code"]).toBe("ERR_UNSUPPORTED");
  });
});

type Refusal = readonly [
  what: string,
  config: VmConfig,
  call: (vm: Vm) => unknown,
  code: string,
  errno: string,
];
const region = { slot: 1, flags: 0, gpa: 64 * MiB, bytes: MiB, hva: HVA };
const first = (vm: Vm) => vm.memslots.at(0) as NonNullable<ReturnType<Vm["memslots"]["at"]>>;
const NO_RING = ["ERR_NO_DIRTY_RING", "EINVAL"] as const;
const NO_CAP = ["ERR_CAPABILITY", "EINVAL"] as const;
const NO_FILE = ["ERR_GUEST_MEMFD", "EINVAL"] as const;
const TYPED: VmConfig = { host: { memoryTypes: true } };

const REFUSED: readonly Refusal[] = [
  ["an unknown capability", {}, (vm) => vm.enableCap(1, 1), ...NO_CAP],
  ["manual protection with an unknown bit", {}, (vm) => vm.enableCap(168, 8), ...NO_CAP],
  ["manual protection with flags", {}, (vm) => vm.enableCap(168, 1, 1), ...NO_CAP],
  ["rings after the vCPUs", {}, (vm) => vm.enableCap(192, 4096), ...NO_CAP],
  ["rings in kernel 5.10", { kernel: "5.10" }, (vm) => vm.enableCap(223, 4096), ...NO_CAP],
  ["an unknown quirk", {}, (vm) => vm.disableQuirks(2 ** 20), ...NO_CAP],
  ["a vCPU that there is", {}, (vm) => vm.createVcpu(1), "ERR_VCPU_EXISTS", "EEXIST"],
  ["a vCPU too many", {}, (vm) => vm.createVcpu(65_536), "ERR_VCPU", "EINVAL"],
  ["an empty file", {}, (vm) => vm.createGuestMemfd(0), ...NO_FILE],
  ["a file of half a page", {}, (vm) => vm.createGuestMemfd(2048), ...NO_FILE],
  ["a file with unknown flags", {}, (vm) => vm.createGuestMemfd(4096, 1 << 20), ...NO_FILE],
  [
    "a file in kernel 5.10",
    { kernel: "5.10" },
    (vm) => vm.createGuestMemfd(4096),
    "ERR_UNSUPPORTED",
    "EOPNOTSUPP",
  ],
  ["what no ring has", {}, (vm) => vm.collectRing(), ...NO_RING],
  ["a reset without rings", {}, (vm) => vm.resetRings(), ...NO_RING],
  ["MTRRs that do not count", {}, (vm) => vm.setMtrr(0x2ff, 0), "ERR_UNSUPPORTED", "EOPNOTSUPP"],
  ["an unknown MTRR", TYPED, (vm) => vm.setMtrr(0x210, 0), "ERR_MTRR", ""],
  ["a memory type that there is not", TYPED, (vm) => vm.setMtrr(0x2ff, 2), "ERR_MTRR", ""],
  ["a write by nobody", {}, (vm) => vm.guestWrite(0, 1, 2), "ERR_VCPU", "EINVAL"],
  ["too few pages", {}, (vm) => vm.setMmuPages(63), "ERR_MMU_PAGES", "EINVAL"],
  ["half a page of the host's", {}, (vm) => vm.setHostMapping(HVA + 1, 4096, {}), "ERR_HOST_MAPPING", ""],
  ["no page of the host's", {}, (vm) => vm.setHostMapping(HVA, 0, {}), "ERR_HOST_MAPPING", ""],
  [
    "a frame that is not aligned",
    {},
    (vm) => vm.setHostMapping(HVA, 2 * MiB, { pfn: 1, level: 2 }),
    "ERR_HOST_MAPPING",
    "",
  ],
  ["attributes without private memory", {}, (vm) => vm.setAttributes(0, 4096, "private"), "ERR_EVENT", ""],
  ["a clear between words", {}, (vm) => first(vm).clearDirtyLog(32, 64), "ERR_DIRTY_LOG", "EINVAL"],
  ["a clear from no buffer", {}, (vm) => first(vm).clearDirtyLog(0, 64, null), "ERR_COPY", "EFAULT"],
  [
    "a slot id of KVM's own",
    {},
    (vm) => vm.memslots.set({ ...region, slot: 32_764 }),
    "ERR_MEMSLOT_ID",
    "EINVAL",
  ],
  ["unknown slot flags", {}, (vm) => vm.memslots.set({ ...region, flags: 8 }), "ERR_MEMSLOT_FLAGS", "EINVAL"],
  [
    "half a page of a slot",
    {},
    (vm) => vm.memslots.set({ ...region, bytes: 2048 }),
    "ERR_MEMSLOT_SIZE",
    "EINVAL",
  ],
  ["a slot within a page", {}, (vm) => vm.memslots.set({ ...region, gpa: 1 }), "ERR_MEMSLOT_GPA", "EINVAL"],
  [
    "a slot over the kernel",
    {},
    (vm) => vm.memslots.set({ ...region, hva: 2n ** 63n }),
    "ERR_MEMSLOT_HVA",
    "EINVAL",
  ],
  [
    "a third address space",
    {},
    (vm) => vm.memslots.set({ ...region, slot: 2 << 16 }),
    "ERR_MEMSLOT_ADDRESS_SPACE",
    "EINVAL",
  ],
  [
    "the end of no slot",
    {},
    (vm) => vm.memslots.set({ ...region, bytes: 0 }),
    "ERR_MEMSLOT_MISSING",
    "EINVAL",
  ],
  [
    "a slot over another",
    {},
    (vm) => vm.memslots.set({ ...region, gpa: 0 }),
    "ERR_MEMSLOT_OVERLAP",
    "EEXIST",
  ],
  [
    "a slot beyond what is mapped",
    {},
    (vm) => vm.memslots.set({ ...region, gpa: 2 ** 50 }),
    "ERR_MEMSLOT_BEYOND_MAX",
    "EINVAL",
  ],
  [
    "another hva for a slot",
    {},
    (vm) => vm.memslots.set({ ...region, slot: 0, hva: HVA + MiB, gpa: 0 }),
    "ERR_MEMSLOT_IMMUTABLE",
    "EINVAL",
  ],
  [
    "a slot of no file",
    {},
    (vm) => vm.memslots.set({ ...region, flags: 4, memfd: 5 }),
    "ERR_MEMSLOT_FLAGS",
    "EINVAL",
  ],
];

describe.skipIf(!hasAddon)("what KVM refuses", () => {
  test.each(REFUSED)("%s changes nothing", (_, config, call, code, errno) => {
    using vm = aVm(config);
    const before = wholeVm(vm, PLACES);
    expect(thrownBy(() => call(vm))).toMatchObject({ code, errno });
    expect(wholeVm(vm, PLACES)).toBe(before);
  });

  test("a log that is not kept, and slots while memory is taken back", () => {
    using vm = aVm();
    const other = vm.memslots.add({ gpa: 2 * MiB, bytes: MiB });
    const window = new EventBatch(1);
    window.pushOperation("hva-begin", HVA, 4096);
    vm.runSync(window, new OutcomeBatch(1));
    const before = wholeVm(vm, PLACES);
    expect(thrownBy(() => other.takeDirtyLog())).toMatchObject({ code: "ERR_NO_DIRTY_LOG", errno: "ENOENT" });
    for (const call of [() => other.delete(), () => other.move(8 * MiB), () => other.setDirtyLogging(true)]) {
      expect(thrownBy(call)["code"]).toBe("ERR_BUSY");
    }
    expect(thrownBy(() => vm.memslots.add({ gpa: 8 * MiB, bytes: MiB }))["code"]).toBe("ERR_BUSY");
    expect(wholeVm(vm, PLACES)).toBe(before);
  });

  test("mapping ahead through an alias where the attribute decides", () => {
    using vm = aVm({ alias: { strategy: "mirror", preset: "tdx47" } });
    const before = wholeVm(vm, PLACES);
    expect(vm.prefault(2 ** 47, 4096)).toEqual({ bytesDone: 0, errno: "EINVAL" });
    expect(vm.prefault(1, 4096)).toEqual({ bytesDone: 0, errno: "EINVAL" });
    expect(vm.prefault(0, 0)).toEqual({ bytesDone: 0, errno: "EINVAL" });
    expect(wholeVm(vm, PLACES)).toBe(before);
  });
});
