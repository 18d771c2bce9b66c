/**
 * A VM by hand: one memslot, a few accesses, and a look at the page tables.
 */
import { createVm, formatGpa } from "gpalias";

const MiB = 2 ** 20;

using vm = createVm({ vcpus: 2 });
const ram = vm.memslots.add({ gpa: 0, bytes: 64 * MiB, backing: "2M" });

// The first touch faults and maps a whole 2M page; the second is hardware's business.
console.log("first write: ", vm.access(0x20_1234, "write"));
console.log("then a read: ", vm.access(0x3f_f000, "read", { vcpu: 1 }));

// No memslot there: MMIO, emulated.
console.log("the local APIC:", vm.access(0xfee0_0000, "read").result);

// Dirty logging needs 4K pages, so KVM splits the 2M page and takes W away.
console.log("logging on:  ", ram.setDirtyLogging(true).sptesChanged, "entries changed");
console.log("a write now: ", vm.access(0x20_1234, "write").result);
console.log("dirty:       ", [...ram.takeDirtyLog().gpas()].map(formatGpa).join(", "));

console.log("\nthe path of 0x201234, root first");
for (const { level, gpa, spte, isLeaf } of vm.walk(0x20_1234)) {
  console.log(`  level ${level} at ${formatGpa(gpa)}: 0x${spte.toString(16)}${isLeaf ? " (leaf)" : ""}`);
}
console.log("\nKVM's statistics:", vm.stats());
