/** Bytes of tables for each mapped page, beside the 4096-byte table pages that KVM has for the same. */
import { mappedVm } from "./mapped-vm.js";
import { randomPages, SHAPES, type Shape, spanOf } from "./pages.js";
import type { TablesResult } from "./result.js";

export interface TablesTrial {
  readonly name: string;
  readonly what: string;
  readonly target: number;
  readonly shape: Shape;
  /** Which pages are mapped. */
  gpas(): Float64Array;
}

const MIB_2 = 2 ** 21;
const [dense, , scattered] = SHAPES;
const sparse: Shape = { pages: 2 ** 17, gib: 256 };

export const tablesTrials: readonly TablesTrial[] = [
  {
    name: "tables-dense-1GiB",
    what: "every 4K page of 1 GiB",
    target: 1.1,
    shape: dense,
    gpas: () => randomPages(dense),
  },
  {
    name: "tables-scattered-256GiB",
    what: "one page in 16 of 256 GiB, at random",
    target: 1.1,
    shape: scattered,
    gpas: () => randomPages(scattered),
  },
  {
    name: "tables-sparse-256GiB",
    what: "one page in each 2 MiB of 256 GiB",
    target: 0.2,
    shape: sparse,
    gpas: () => Float64Array.from({ length: spanOf(sparse) / MIB_2 }, (_, region) => region * MIB_2),
  },
];

/** Memory that it takes, about. */
export const bytesOf = ({ shape }: TablesTrial): number => shape.pages * 40 + 2 ** 26;

export function tablesOf({ name, what, target, shape, gpas }: TablesTrial): TablesResult {
  using vm = mappedVm(shape, gpas());
  const { bytes, engineBytes } = vm.tables();
  const { pages } = shape;
  return {
    ...{ name, what, pages, target },
    bytesPerPage: engineBytes / pages,
    kvmBytesPerPage: bytes / pages,
    ratio: engineBytes / bytes,
  };
}
