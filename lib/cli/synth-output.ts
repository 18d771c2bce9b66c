/** Values that `synth` is given as the selftests write them, and the file that it writes beside its trace. */
import type { PageSize, Synthesis } from "../index.js";
import type { Context } from "./command.js";

/** Sources of backing memory of the selftests, by the largest page that each can have. */
const SOURCES: Readonly<Record<string, PageSize>> = {
  "4K": "4K",
  "2M": "2M",
  "1G": "1G",
  anonymous: "4K",
  anonymous_thp: "2M",
  anonymous_hugetlb: "2M",
  anonymous_hugetlb_2mb: "2M",
  anonymous_hugetlb_1gb: "1G",
  shmem: "4K",
  shared_hugetlb: "2M",
};

/** A page size, or a source of memory as the selftests' -s names it. */
export function backingIn(text: string): PageSize {
  const size = Object.hasOwn(SOURCES, text) ? SOURCES[text] : undefined;
  if (size !== undefined) return size;
  throw new RangeError(`expected one of ${Object.keys(SOURCES).join(", ")}`);
}

export interface SizeOptions {
  readonly bytes?: string;
  readonly offset?: string;
}

/** Sizes as the library wants them: numbers. */
export async function sizesIn({ library }: Context, { bytes, offset }: SizeOptions) {
  const { parseGpa, parseSize } = await library();
  return {
    ...(bytes !== undefined && { bytes: parseSize(bytes, "--bytes") }),
    ...(offset !== undefined && { offset: parseGpa(offset, "--offset") }),
  };
}

/** As the file beside a capture, so that a replay finds the guest's memory and vCPUs in it. */
export async function memslotsFile({ library }: Context, trace: Synthesis, accesses: readonly number[]) {
  const { formatGpa, VERSION } = await library();
  const { workload, options, memslots } = trace;
  const counts = Array.from({ length: options.vcpus }, (_, vcpu) => [vcpu, accesses[vcpu] ?? 0]);
  return {
    name: workload,
    made_by: `gpalias ${VERSION} synth`,
    options,
    by_vcpu: Object.fromEntries(counts),
    memslots: memslots.map(({ id, gpa, bytes, hva, backing }) => ({
      slot: id,
      gpa: formatGpa(gpa),
      size: formatGpa(bytes),
      hva: formatGpa(hva),
      flags: 0,
      backing,
    })),
  };
}
