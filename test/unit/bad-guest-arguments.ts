/** What a guest's registers, memory and walks refuse. A VM of 48-bit addresses whose memory ends at 1 MiB, and at 8 MiB. */
import { TranslationBatch } from "../../lib/index.js";
import { type Loose, type Method, NO_INTEGER, NO_OPTIONS, NO_U64 } from "../support/bad-arguments.js";

const MiB = 2 ** 20;

export const GUEST_METHODS: readonly Method[] = [
  {
    name: "setGuestCpuid",
    of: (vm) => vm.setGuestCpuid.bind(vm) as Loose,
    args: [
      [
        {},
        [
          null,
          1,
          { maxphyaddr: 256 },
          { maxphyaddr: "36" },
          { vendor: "via" },
          { features: "smep" },
          { features: ["sse"] },
          { family: 6 },
        ],
      ],
      [{}, NO_OPTIONS],
    ],
  },
  {
    name: "setGuestRegisters",
    of: (vm) => vm.setGuestRegisters.bind(vm) as Loose,
    args: [
      [
        {},
        [
          null,
          1,
          { cr5: 0n },
          { cr3: -1n },
          { cr3: "0" },
          { cr0: 2n ** 32n },
          { cr0: 2n ** 31n },
          { cr0: 2n ** 29n },
          { cr4: 2n ** 63n },
          { efer: 0x400n },
          { pkru: 2n ** 32n },
          { code64: 1 },
          { code64: true },
          { cr0: 0x80000011n, cr4: 0x20n, efer: 0x500n, cr3: 2n ** 48n },
          { cr0: 0x80000011n, efer: 0x500n },
        ],
      ],
      [{}, NO_OPTIONS],
    ],
  },
  { name: "guestRegisters", of: (vm) => vm.guestRegisters.bind(vm) as Loose, args: [[{}, NO_OPTIONS]] },
  {
    name: "loadGuestCr3",
    of: (vm) => vm.loadGuestCr3.bind(vm) as Loose,
    args: [
      [0x1000n, [undefined, "0x1000", -1n, 1.5, 2n ** 64n, 2n ** 48n]],
      [{}, NO_OPTIONS],
    ],
  },
  {
    name: "setNestedPaging",
    of: (vm) => vm.setNestedPaging.bind(vm) as Loose,
    args: [
      [
        { kind: "ept", eptp: 0x1en },
        [
          undefined,
          1,
          {},
          { kind: "tdp" },
          { kind: "ept" },
          { kind: "ept", eptp: 0x1fn },
          { kind: "ept", eptp: 0x16n },
          { kind: "ept", eptp: 0x9en },
          { kind: "ept", eptp: 2n ** 48n + 0x1en },
          { kind: "npt", eptp: 0x1en },
          { kind: "npt", cr0: 2n ** 31n },
        ],
      ],
      [{}, NO_OPTIONS],
    ],
  },
  {
    name: "translate",
    of: (vm) => vm.translate.bind(vm) as Loose,
    args: [
      [0n, NO_U64],
      ["read", [null, "", "exec", [], ["read", "rite"], 1]],
      [{}, [...NO_OPTIONS, { user: 1 }, { implicit: "yes" }, { references: null }]],
    ],
  },
  {
    name: "setAddressing",
    of: (vm) => vm.setAddressing.bind(vm) as Loose,
    args: [["gpa", [null, 1, "hva", true]]],
  },
  { name: "guestFault", of: (vm) => vm.guestFault.bind(vm) as Loose, args: [[{}, NO_OPTIONS.slice(0, 4)]] },
  {
    name: "translateBatch",
    of: (vm) => vm.translateBatch.bind(vm) as Loose,
    args: [
      [
        new TranslationBatch(2),
        [
          null,
          {},
          [0n],
          new BigUint64Array(2),
          Object.assign(new TranslationBatch(2), { count: 3 }),
          Object.assign(new TranslationBatch(2), { count: "1" }),
        ],
      ],
      ["read", [null, "", "exec", [], ["read", "rite"], 1]],
      [{}, [...NO_OPTIONS, { user: 1 }, { implicit: "yes" }, { references: true }]],
    ],
  },
  {
    name: "memory.write",
    of: (vm) => vm.memory.write.bind(vm.memory) as Loose,
    args: [
      [0x5000, [...NO_U64, MiB - 1, 0xd0000000, 2n ** 64n - 1n]],
      [new Uint8Array(2), [null, 1, "ab", [1, 2], new Uint16Array(2), new ArrayBuffer(2)]],
    ],
  },
  {
    name: "memory.read",
    of: (vm) => vm.memory.read.bind(vm.memory) as Loose,
    args: [
      [0x5000, [...NO_U64, MiB - 1, 0xd0000000, 2n ** 64n - 1n]],
      [2, [...NO_INTEGER, 2 ** 30 + 1]],
    ],
  },
];
