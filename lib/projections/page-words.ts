/**
 * One 32-bit word for each 4K page, 0 until it is written.
 *
 * Kept for chunks of pages that were asked for, so memory follows what a
 * trace touches and not how wide its addresses are.
 */

/** Pages of a chunk: 128 MiB of a guest, 128 KiB here. */
const CHUNK_PAGES = 32_768;

export class PageWords {
  readonly #chunks = new Map<number, Uint32Array>();
  // The page asked for last; neighbouring accesses mostly share their chunk.
  #chunk: Uint32Array = new Uint32Array(0);
  #chunkIndex = -1;
  #page = 0;

  /** The word of a page, which {@link put} then writes. */
  at(gfn: number): number {
    const index = Math.floor(gfn / CHUNK_PAGES);
    if (index !== this.#chunkIndex) this.#select(index);
    this.#page = gfn - index * CHUNK_PAGES;
    return this.#chunk[this.#page] as number;
  }

  /** Writes the word of the page that was asked for last. */
  put(word: number): void {
    this.#chunk[this.#page] = word;
  }

  #select(index: number): void {
    let chunk = this.#chunks.get(index);
    if (chunk === undefined) {
      chunk = new Uint32Array(CHUNK_PAGES);
      this.#chunks.set(index, chunk);
    }
    this.#chunk = chunk;
    this.#chunkIndex = index;
  }
}
