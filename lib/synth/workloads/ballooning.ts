/**
 * Ballooning: the guest gives pages to its host, and takes them again.
 *
 * What virtio-balloon and free page reporting come to: the host's
 * MADV_DONTNEED on blocks of 4K to 2M at random places, through the
 * mmu_notifier, about a quarter of the memory in each iteration; then the
 * guest uses the same blocks again, and each page of them faults.
 */
import { PAGE_BYTES } from "../../address.js";
import { everyPage, operation } from "../passes.js";
import { defineWorkload, type Run } from "../workload.js";

/** Blocks are of 2^0 to 2^9 pages. */
const ORDERS = 10;
const SHARE = 0.25;

interface Block {
  readonly page: number;
  readonly pages: number;
}

export default defineWorkload({
  name: "ballooning",
  summary:
    "about a quarter of the memory given back in blocks of 4K to 2M in every iteration, then used again",
  resembles: "virtio-balloon: inflated, then deflated",
  defaults: { iterations: 4 },
  *events(run) {
    yield* everyPage(run, run.options.writes);
    for (let iteration = 0; iteration < run.options.iterations; iteration++) {
      const blocks = chosen(run);
      for (const { page, pages } of blocks)
        yield* operation(run, "hva-invalidate", run.memory.hva(page), pages * PAGE_BYTES);
      yield* usedAgain(run, blocks);
    }
  },
});

/** Blocks that do not meet: a step of random length from each to the next. */
function chosen({ random, memory }: Run): readonly Block[] {
  const blocks: Block[] = [];
  let page = 0;
  for (;;) {
    const pages = 2 ** random.below(ORDERS);
    // Aligned as the guest's allocator has them; gaps are three times as long as blocks.
    page = Math.ceil((page + random.below(2 * (1 / SHARE - 1) * pages)) / pages) * pages;
    if (page >= memory.pages) return blocks;
    blocks.push({ page, pages: Math.min(pages, memory.pagesLeftInSlot(page)) });
    page += pages;
  }
}

function* usedAgain({ out, random, memory, options }: Run, blocks: readonly Block[]): Generator<void> {
  for (const { page, pages } of blocks) {
    for (let each = page; each < page + pages; each++) {
      if (out.isFull) yield;
      const owner = Math.floor(each / (memory.pages / options.vcpus));
      out.access(memory.gpa(each), owner, random.chance(options.writes));
    }
  }
}
