// The situations whose every outcome is recorded in the JSON files beside this
// one. Plain data: one step is one call.
import type { Access, MemslotSpec, VmConfig } from "../../lib/index.js";

export type GoldenStep =
  | readonly ["slot", MemslotSpec]
  | readonly ["access", gpa: number, access: Access | readonly Access[], vcpu: number]
  | readonly ["zap", gpa: number, bytes: number]
  | readonly ["zapAll"]
  | readonly ["takeDirtyLogs"]
  | readonly ["setDirtyLogging", id: number, on: boolean]
  | readonly ["delete", id: number];

export interface GoldenCase {
  readonly about: string;
  readonly config: VmConfig;
  readonly steps: readonly GoldenStep[];
}

const K = 2 ** 10;
const M = 2 ** 20;
const G = 2 ** 30;

export const cases: Readonly<Record<string, GoldenCase>> = {
  "first-touch": {
    about: "each kind of first access to 4K memory, then the same again",
    config: { vcpus: 2 },
    steps: [
      ["slot", { gpa: 0, bytes: 16 * M }],
      ["access", 0x1000, "read", 0],
      ["access", 0x1fff, "write", 1],
      ["access", 0x2000, "write", 0],
      ["access", 0x3000, "fetch", 0],
      ["access", 0x3000, ["read", "write"], 1],
      ["access", 16 * M - 4 * K, "read", 0],
      ["access", 16 * M, "read", 0],
    ],
  },
  "huge-pages": {
    about: "2M and 1G backing: what alignment of slot and host memory allows, and what it forbids",
    config: {},
    steps: [
      ["slot", { id: 1, gpa: 2 * M - 4 * K, bytes: 6 * M + 8 * K, backing: "2M" }],
      ["slot", { id: 2, gpa: 4 * G, bytes: 2 * G, backing: "1G" }],
      ["slot", { id: 3, gpa: 8 * G, bytes: G, backing: "1G", hva: 2 ** 42 + 4 * K }],
      ["access", 2 * M - 4 * K, "read", 0],
      ["access", 2 * M, "read", 0],
      ["access", 8 * M - 1, "write", 0],
      ["access", 8 * M, "write", 0],
      ["access", 5 * G - 1, "fetch", 0],
      ["access", 8 * G, "read", 0],
      ["zap", 2 * M + 4 * K, 4 * K],
      ["access", 3 * M, "read", 0],
      ["zap", 4 * G + 8 * K, 4 * K],
    ],
  },
  "holes-and-rom": {
    about: "no slot, a read-only slot, and MMIO entries that a new slot makes stale",
    config: {},
    steps: [
      ["slot", { id: 0, gpa: 0, bytes: M }],
      ["slot", { id: 1, gpa: 0xfffc0000, bytes: 256 * K, readonly: true }],
      ["access", 0xfee00000, "read", 0],
      ["access", 0xfee00000, "write", 0],
      ["access", 0xfffff000, "fetch", 0],
      ["access", 0xfffff000, "write", 0],
      ["slot", { id: 2, gpa: 0xfed00000, bytes: 4 * K }],
      ["access", 0xfee00000, "write", 0],
      ["slot", { id: 3, gpa: 0xfee00000, bytes: 4 * K }],
      ["access", 0xfee00000, "write", 0],
      ["delete", 3],
      ["access", 0xfee00000, "write", 0],
      ["access", 0x1000, "read", 0],
    ],
  },
  "dirty-logging": {
    about: "enable over huge leaves, rounds with the fast path between them, disable",
    config: {},
    steps: [
      ["slot", { id: 5, gpa: 0, bytes: 4 * M, backing: "2M" }],
      ["access", 0x1000, "write", 0],
      ["access", 3 * M, "read", 0],
      ["setDirtyLogging", 5, true],
      ["access", 0x1000, "read", 0],
      ["access", 0x1000, "write", 0],
      ["access", 0x2000, "write", 0],
      ["takeDirtyLogs"],
      ["access", 0x2000, "write", 0],
      ["takeDirtyLogs"],
      ["takeDirtyLogs"],
      ["access", 0x2000, "read", 0],
      ["setDirtyLogging", 5, false],
      ["access", 0x3000, "write", 0],
      ["setDirtyLogging", 5, false],
    ],
  },
  "zap-all": {
    about: "every root is obsolete at once, and the next access makes a new one",
    config: {},
    steps: [
      ["slot", { gpa: 0, bytes: G }],
      ["access", 0, "read", 0],
      ["access", 512 * M, "write", 0],
      ["access", 2 * G, "write", 0],
      ["zapAll"],
      ["access", 0, "read", 0],
      ["zap", 0, G],
      ["access", 0, "read", 0],
    ],
  },
  "five-levels": {
    about: "52-bit addresses: the lowest page, the highest one, and a hole between them",
    config: { addressBits: 52 },
    steps: [
      ["slot", { id: 0, gpa: 0, bytes: 4 * K }],
      ["slot", { id: 1, gpa: 2 ** 52 - 4 * K, bytes: 4 * K }],
      ["access", 0, "write", 0],
      ["access", 2 ** 52 - 1, "write", 0],
      ["access", 2 ** 51, "write", 0],
    ],
  },
};
