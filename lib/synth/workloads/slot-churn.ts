/**
 * Slot churn: memslots deleted while vCPUs run.
 *
 * What `memslot_modification_stress_test` does: a slot that nobody uses is
 * added and deleted again and again, and each deletion zaps every mapping of
 * the VM (KVM: kvm_arch_flush_shadow_memslot(), kvm_mmu_zap_all_fast()), so
 * that all memory faults in anew.
 */
import { everyPage, operation } from "../passes.js";
import { defineWorkload } from "../workload.js";

export default defineWorkload({
  name: "slot-churn",
  summary: "a slot deleted in every iteration, which zaps all mappings, and all memory touched again",
  resembles: "memslot_modification_stress_test",
  defaults: { iterations: 10 },
  *events(run) {
    const { iterations, writes } = run.options;
    yield* everyPage(run, writes);
    for (let iteration = 0; iteration < iterations; iteration++) {
      yield* operation(run, "zap-all-fast");
      yield* everyPage(run, writes);
    }
  },
});
