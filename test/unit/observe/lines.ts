// Lines of tracepoints as tests write them: the kernel's words, and nothing of a recording.

/** One thread's lines; `fields` begin with the event's name. */
export const trace = (...fields: readonly string[]): string =>
  `${fields
    .map((each) => (each.startsWith("[") || each.startsWith("#") ? each : `  x-1 [000] ..... 1.0: ${each}`))
    .join("\n")}\n`;

export const fault = (address: number, code = 0x782): string =>
  `kvm_page_fault: vcpu 0 rip 0x0 address 0x${address.toString(16).padStart(16, "0")} error_code 0x${code.toString(16)}`;
export const asked = (gfn: string, pfn: string, level = 1): string =>
  `kvm_mmu_spte_requested: gfn ${gfn} pfn ${pfn} level ${level}`;
export const changed = (gfn: string, level: number, old: string, now: string, asId = 0): string =>
  `kvm_tdp_mmu_spte_changed: as id ${asId} gfn ${gfn} level ${level} old_spte ${old} new_spte ${now}`;
export const set = (gfn: string, spte: string, level: number, at: string, rights = "rwxu"): string =>
  `kvm_mmu_set_spte: gfn ${gfn} spte ${spte} (${rights}) level ${level} at ${at}`;
export const entered = "kvm_entry: vcpu 0, rip 0x0";

/** A write to a page, the first of its VM. */
export const FIRST = [
  fault(0x3000),
  asked("3", "77"),
  changed("0", 4, "0", "1000907"),
  changed("0", 3, "0", "1001907"),
  changed("0", 2, "0", "1002907"),
  changed("3", 1, "0", "600000000077b77"),
  set("3", "600000000077b77", 1, "1002018"),
  entered,
];
