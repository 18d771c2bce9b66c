/**
 * What a guest's CPUID says, as KVM_SET_CPUID2 takes it: of each leaf what
 * paging asks of it.
 */
const VENDORS: Readonly<Record<string, readonly [ebx: number, ecx: number, edx: number]>> = {
  intel: wordsOf("GenuineIntel"),
  amd: wordsOf("AuthenticAMD"),
  hygon: wordsOf("HygonGenuine"),
  other: wordsOf("SomethingNew"),
};

/** Leaf and bit of each feature. */
const FEATURES: Readonly<
  Record<string, readonly [leaf: number, register: "ebx" | "ecx" | "edx", bit: number]>
> = {
  pse: [1, "edx", 3],
  pae: [1, "edx", 6],
  pge: [1, "edx", 13],
  pse36: [1, "edx", 17],
  smep: [7, "ebx", 7],
  smap: [7, "ebx", 20],
  pku: [7, "ecx", 3],
  la57: [7, "ecx", 16],
  nx: [0x8000_0001, "edx", 20],
  pdpe1gb: [0x8000_0001, "edx", 26],
  lm: [0x8000_0001, "edx", 29],
};
/** KVM_CPUID_FLAG_SIGNIFCANT_INDEX */
const INDEXED = 1;
/** The virtual addresses that leaf 0x80000008 speaks of are 48 bits wide. */
const VIRTUAL_BITS = 48 * 256;

export const FEATURE_NAMES: readonly string[] = Object.keys(FEATURES);

export interface CpuidPart {
  readonly vendor: string;
  /** The low byte of leaf 0x80000008, null without such a leaf. */
  readonly maxphyaddr: number | null;
  readonly feat: readonly string[];
}

/** Seven words an entry: function, index, flags, EAX, EBX, ECX, EDX. */
export function cpuidWords({ vendor, maxphyaddr, feat }: CpuidPart): Uint32Array {
  const [ebx, ecx, edx] = VENDORS[vendor] ?? (VENDORS["other"] as readonly [number, number, number]);
  const bits = (leaf: number, register: string) =>
    feat
      .map((name) => FEATURES[name])
      .filter((feature) => feature?.[0] === leaf && feature[1] === register)
      .reduce((sum, feature) => sum + 2 ** (feature?.[2] as number), 0);
  const highest = maxphyaddr === null ? 0x8000_0001 : 0x8000_0008;
  const leaf = (number: number, flags: number, eax: number) => [
    ...[number, 0, flags, eax],
    ...["ebx", "ecx", "edx"].map((register) => bits(number, register)),
  ];
  return Uint32Array.of(
    ...[0, 0, 0, 7, ebx, ecx, edx],
    ...leaf(1, 0, 0),
    ...leaf(7, INDEXED, 0),
    ...[0x8000_0000, 0, 0, highest, ebx, ecx, edx],
    ...leaf(0x8000_0001, 0, 0),
    ...(maxphyaddr === null ? [] : leaf(0x8000_0008, 0, VIRTUAL_BITS + maxphyaddr)),
  );
}

/** A vendor's name in the registers of leaf 0: EBX, EDX, ECX have it in order. */
function wordsOf(name: string): readonly [number, number, number] {
  const view = new DataView(new TextEncoder().encode(name).buffer);
  return [view.getUint32(0, true), view.getUint32(8, true), view.getUint32(4, true)];
}
