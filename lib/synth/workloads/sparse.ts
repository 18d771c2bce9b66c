/**
 * Sparse memory: small slots far apart, all over the 52 bits of an address.
 *
 * No real machine is like this, which is what it is for: hardly two pages
 * share a table, so tables take as much memory as they can, and walks go
 * through five levels of them. Compare `set_memory_region_test`, which puts a
 * slot where no one expects it.
 */
import { everyPage } from "../passes.js";
import { defineWorkload } from "../workload.js";

export default defineWorkload({
  name: "sparse",
  summary: "small slots scattered over 52 bits of addresses, each page touched in every iteration",
  resembles: "no machine: it makes as many page tables as there can be for so many pages",
  defaults: { iterations: 1, bytes: 2 ** 24, slots: 1024 },
  scattered: true,
  *events(run) {
    for (let iteration = 0; iteration < run.options.iterations; iteration++)
      yield* everyPage(run, run.options.writes);
  },
});
