/** A witness's VM in the words of `gpalias replay`. */
import type { VmConfig } from "../config/types.js";
import { MmuError } from "../errors.js";
import type { WitnessReport } from "./report.js";

type Say<Key extends keyof VmConfig> = (value: NonNullable<VmConfig[Key]>) => readonly string[];

const plain =
  (flag: string) =>
  (value: string | number): readonly string[] => [flag, String(value)];
const isOn =
  (flag: string) =>
  (on: boolean): readonly string[] =>
    on ? [flag] : [];

/** How each option is typed; what is missing cannot be. */
const WORDS: { readonly [Key in keyof VmConfig]?: Say<Key> } = {
  alias: ({ strategy = "none", preset = "none" }) => ["--alias", preset, "--strategy", strategy],
  mmu: plain("--mmu"),
  vcpus: plain("--vcpus"),
  addressBits: plain("--address-bits"),
  rootLevel: plain("--root-level"),
  flushProvider: plain("--flush-provider"),
  tlb: (tlb) => (tlb === false ? [] : ["--tlb", ...(tlb === true ? [] : [tlbWord(tlb)])]),
  internalSlots: isOn("--internal-slots"),
  guestPaging: plain("--guest-paging"),
  externalTables: plain("--external-tables"),
  convertOnExit: isOn("--convert-on-exit"),
  kernel: plain("--kernel"),
  host: (host) => {
    const settings = Object.entries(host).map(
      ([name, value]) => `${name}=${SWITCHES[String(value)] ?? value}`,
    );
    return settings.length === 0 ? [] : ["--host", settings.join(",")];
  },
};

const SWITCHES: Readonly<Record<string, string>> = { true: "on", false: "off" };

function tlbWord(tlb: Exclude<NonNullable<VmConfig["tlb"]>, boolean>): string {
  if (typeof tlb === "string") return tlb;
  if ("arrays" in tlb) throw unsayable("tlb.arrays");
  const { entries = 1536, ways } = tlb;
  return ways === undefined ? String(entries) : `${entries},${ways}`;
}

/** @throws MmuError `ERR_UNSUPPORTED` for an option that no word stands for */
export function replayArguments({ config, audit, rule }: WitnessReport, memslots: string): string[] {
  const asked = Object.entries(config).flatMap(([key, value]) => wordsOf(key as keyof VmConfig, value));
  return [
    ...["--memslots", memslots, "--dirty-log", "off", "--project", "as-recorded"],
    ...asked,
    ...(audit ? ["--audit", "0"] : []),
    ...["--fail-on", rule.id],
  ];
}

function wordsOf(key: keyof VmConfig, value: unknown): readonly string[] {
  const say = WORDS[key] as ((value: unknown) => readonly string[]) | undefined;
  if (say !== undefined) return say(value);
  throw unsayable(key);
}

const unsayable = (key: string): MmuError =>
  new MmuError("ERR_UNSUPPORTED", `the command line has no option for ${key}; a test can have it`);
