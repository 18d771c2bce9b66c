/**
 * The memory of the process that recorded the vectors: one mapping of 1 GiB,
 * zero at first, and nothing mapped around it.
 *
 * Only pages that were written are kept. It knows addresses and bytes, and
 * nothing of guests.
 */
import { PAGE_BYTES } from "../../address.js";

const START = 2 ** 45;
const BYTES = 2 ** 30;

export class ProcessMemory {
  readonly #pages = new Map<number, Uint8Array>();

  static isMapped(hva: number): boolean {
    return hva >= START && hva < START + BYTES;
  }

  read(hva: number): number {
    const offset = hva % PAGE_BYTES;
    return this.#pages.get(hva - offset)?.[offset] ?? 0;
  }

  write(hva: number, byte: number): void {
    const offset = hva % PAGE_BYTES;
    let page = this.#pages.get(hva - offset);
    if (page === undefined) {
      page = new Uint8Array(PAGE_BYTES);
      this.#pages.set(hva - offset, page);
    }
    page[offset] = byte;
  }
}
