// Which part of the sources may import which, as data. The first group whose
// pattern matches a file is its group; a file without a group is an error, so
// a new folder gets its row here before it gets its first import.

export interface Group {
  readonly name: string;
  readonly files: RegExp;
  /** Groups that its files may import, besides files of the same group. */
  readonly may: readonly string[];
  /** Its files are plug-ins: none may import a sibling. */
  readonly plugins?: true;
}

const native: readonly Group[] = [
  // Vocabulary: addresses, bits, refusals, columns.
  {
    name: "core/0",
    files:
      /^native\/core\/(address|digest|bits|error|event|host_views|lazy_memory|state_views|vector_path)\.[ch]pp$/,
    may: [],
  },
  // The outside's whole view of the core. Only types, so every layer may name them.
  {
    name: "core/machine.hpp",
    files:
      /^native\/core\/(machine|slot_types|tlb_shape|guest\/(guest_requests|registers|translation))\.hpp$/,
    may: ["core/0"],
  },
  // One strategy a file: knows the contract and the core, never another
  // strategy. What two readings of one patch share is a header of their own.
  {
    name: "core/strategy",
    files: /^native\/core\/alias\/(?!alias_|registry|v5_033|stolen_bits_2020)\w+\.[ch]pp$/,
    may: ["core/0", "core/1", "core/2", "core/engine", "core/patch", "core/machine.hpp"],
    plugins: true,
  },
  {
    name: "core/patch",
    files: /^native\/core\/alias\/(v5_033|stolen_bits_2020)\.hpp$/,
    may: ["core/0", "core/1", "core/2", "core/engine", "core/machine.hpp"],
    plugins: true,
  },
  // One check a file, or a part of one: looks at a VM's state, never at another check.
  {
    name: "core/check",
    files: /^native\/core\/audit\/(?!audit(_census|_findings)?\.)\w+\.cpp$/,
    may: ["core/0", "core/1", "core/2", "core/machine.hpp"],
    plugins: true,
  },
  // One rule a file: watches a VM, never another rule.
  {
    name: "core/rule",
    files: /^native\/core\/rules\/(?!rule)\w+\.cpp$/,
    may: ["core/0", "core/1", "core/2", "core/machine.hpp"],
    plugins: true,
  },
  {
    name: "core/engine",
    files: /^native\/core\/(engine\w*\.[ch]pp|machine\.cpp|alias\/registry\.[ch]pp)$/,
    may: ["core/0", "core/1", "core/2", "core/machine.hpp"],
  },
  // State: entries, tables, slots, each knowing only itself and what it is made of.
  {
    name: "core/1",
    files:
      /^native\/core\/(formats\/\w+|alias\/alias_(space|traits|views)|guest\/(set_registers|walk_rules|entry_format|guest_memory|guest)|shadow\/(?!shadow_roots)\w+|spte|spte_change|leaf|role|pml|log_window|table_page|page_pool|page_queue|memslot|memslot_check|slots_by_hva|slot_index|kernel_profile|dirty_bitmap|dirty_ring|tlb|tlb_shape|tlb_entry|tlb_overdue|vcpu_set|flush_plan|parse_number|reserved_bits|every_kth|lazy_array|index_pool|sparse_bits|spte_ref_lists|reverse_map|shadow_hash|parent_lists|frame_set|host_memory|invalidation|write_track|mmio_cache|async_faults|pferr|guest_permissions|flush_provider|hyperv_list|guest_mtrrs|external_tables)\.[ch]pp$/,
    may: ["core/0", "core/machine.hpp"],
  },
  // Behaviour: walks, faults, range operations, the contract of a strategy.
  {
    name: "core/2",
    files:
      /^native\/core\/(alias\/alias_(strategy|traits|views|defaults)|tracepoints\/\w+|guest\/\w+|shadow\/shadow_roots|rules\/rule(_set)?|audit\/audit\w*|\w+)\.[ch]pp$/,
    may: ["core/0", "core/1", "core/machine.hpp"],
  },
  // Many short lives of machines, seen from outside.
  {
    name: "check",
    files: /^native\/check\/\w+\.[ch]pp$/,
    may: ["core/0", "core/machine.hpp"],
  },
  // One layout of text a file, one vendor's error codes a file: each knows the form of its registry alone.
  {
    name: "native layouts",
    files: /^native\/trace\/layouts\/\w+\.cpp$/,
    may: ["trace"],
    plugins: true,
  },
  {
    name: "native vendors",
    files: /^native\/trace\/vendors\/\w+\.cpp$/,
    may: ["core/0", "trace"],
    plugins: true,
  },
  { name: "trace", files: /^native\/trace\/\w+\.[ch]pp$/, may: ["core/0"] },
  // One family of tracepoints a file: knows how fields are read, never another family.
  {
    name: "observe/family",
    files: /^native\/observe\/\w+_events\.cpp$/,
    may: ["observe"],
    plugins: true,
  },
  { name: "observe", files: /^native\/observe\/\w+\.[ch]pp$/, may: ["trace"] },
  // The machine's own KVM, by ioctls: of the model it knows the form of a refusal.
  { name: "kvm", files: /^native\/kvm\/\w+\.[ch]pp$/, may: ["core/error.hpp"] },
  // What a machine costs, beside the least that it could: one family of trials a file, never another family.
  {
    name: "native trials",
    files: /^native\/bench\/\w+\.cpp$/,
    may: ["core/0", "core/1", "core/2", "core/machine.hpp", "native bench", "trace"],
    plugins: true,
  },
  { name: "native bench", files: /^native\/bench\//, may: ["core/0", "core/machine.hpp", "trace"] },
  {
    name: "binding",
    files: /^native\/binding\/\w+\.[ch]pp$/,
    may: [
      "core/0",
      "core/machine.hpp",
      "bench/trial.hpp",
      "check/explorer.hpp",
      "kvm/live_kvm.hpp",
      "observe/event.hpp",
      "observe/observer.hpp",
      "trace/decoder.hpp",
    ],
  },
];

const leaves = ["address", "errors", "expect", "memslot numbers"];

const lib: readonly Group[] = [
  { name: "errors", files: /^lib\/errors\.ts$/, may: [] },
  { name: "expect", files: /^lib\/expect\.ts$/, may: [] },
  { name: "memslot numbers", files: /^lib\/memslot-numbers\.ts$/, may: [] },
  { name: "version", files: /^lib\/version\.ts$/, may: [] },
  { name: "address", files: /^lib\/address\.ts$/, may: ["errors", "expect"] },
  // Only types; what the addon promises.
  {
    name: "addon-types",
    files:
      /^lib\/native\/(addon|audit|decode|explorer|guest|host|live|observe|page|rule|run|slot|trial)-types\.ts$/,
    may: [],
  },
  { name: "columns", files: /^lib\/columns\//, may: [...leaves, "addon-types"] },
  // What the engine knows of configurations is asked through its type; who has the addon hands it in.
  { name: "config", files: /^lib\/config(\.ts$|\/)/, may: [...leaves, "addon-types"] },
  { name: "native", files: /^lib\/native\//, may: ["addon-types", "columns", "errors"] },
  { name: "explanation", files: /^lib\/explanation\.ts$/, may: ["expect", "native"] },
  {
    name: "vm",
    files:
      /^lib\/(vm|vm-public|vm-queries|vm-calls|vm-guest|vm-runs|guest-\w+|audit|host-mapping|memslots?|memslot-ids|dirty-log)\.ts$/,
    may: [...leaves, "addon-types", "columns", "config", "native"],
  },
  // Formats name a native decoder and are handed it: they know its type alone.
  {
    name: "trace formats",
    files: /^lib\/trace\/formats\//,
    may: [...leaves, "columns", "trace"],
    plugins: true,
  },
  // Files of recorders that their own programs print, a kind a file.
  { name: "dump kinds", files: /^lib\/trace\/dump\/kinds\//, may: ["trace"], plugins: true },
  { name: "trace", files: /^lib\/trace\//, may: [...leaves, "columns"] },
  { name: "traces", files: /^lib\/traces\.ts$/, may: ["native", "trace"] },
  {
    name: "projection kinds",
    files: /^lib\/projections\/kinds\//,
    may: [...leaves, "columns", "projections"],
    plugins: true,
  },
  // Events in, events out: a machine is described to them, they know none.
  { name: "projections", files: /^lib\/projections\//, may: [...leaves, "columns"] },
  { name: "metrics", files: /^lib\/metrics\//, may: [...leaves, "columns"] },
  // Lines that record, one program a file: text alone.
  { name: "recorders", files: /^lib\/record\/recorders\//, may: ["recording"], plugins: true },
  { name: "recording", files: /^lib\/record\//, may: ["expect"] },
  // Events made up: one workload a file, which knows a guest and no VM.
  {
    name: "synth workloads",
    files: /^lib\/synth\/workloads\//,
    may: [...leaves, "columns", "synth"],
    plugins: true,
  },
  { name: "synth", files: /^lib\/synth\//, may: [...leaves, "columns", "trace"] },
  // Recorded answers against the engine's: they use it as it is, beneath the facade. One kind of vector a file.
  {
    name: "vector kinds",
    files: /^lib\/vectors\/kinds\//,
    may: [...leaves, "addon-types", "config", "native", "vectors"],
    plugins: true,
  },
  {
    name: "vectors",
    files: /^lib\/vectors\//,
    may: [...leaves, "addon-types", "config", "native", "trace"],
  },
  // Scripts answered by the machine's own kernel, a kind a file: they become vectors.
  {
    name: "kinds of script",
    files: /^lib\/kvm\/kinds\//,
    may: [...leaves, "addon-types", "live kvm", "vectors"],
    plugins: true,
  },
  {
    name: "live kvm",
    files: /^lib\/kvm\//,
    may: [...leaves, "addon-types", "native", "vectors"],
  },
  // A recording held to itself: one check a file, which knows lines and not the model.
  {
    name: "observed checks",
    files: /^lib\/observe\/checks\//,
    may: ["observe"],
    plugins: true,
  },
  // ... and to the model, which does what the recording says was done.
  {
    name: "observe",
    files: /^lib\/observe\//,
    may: [...leaves, "addon-types", "config", "native", "trace", "vm"],
  },
  { name: "verify", files: /^lib\/verify\.ts$/, may: ["live kvm", "observe", "vectors"] },
  // One form of report a file.
  { name: "report formats", files: /^lib\/report\/formats\//, may: ["report"], plugins: true },
  {
    name: "world operations",
    files: /^lib\/check\/operations\//,
    may: [...leaves, "small worlds"],
    plugins: true,
  },
  // Worlds made and lived: the addon's explorer does the work.
  {
    name: "small worlds",
    files: /^lib\/check(\.ts$|\/)/,
    may: [...leaves, "addon-types", "columns", "config", "native", "version"],
  },
  // A trace made short: stories lived in VMs again and again.
  {
    name: "simpler stories",
    files: /^lib\/witness\/simpler\//,
    may: [...leaves, "columns", "config", "small worlds", "vm", "witness"],
  },
  {
    name: "witness",
    files: /^lib\/witness(\.ts$|\/)/,
    may: [
      ...leaves,
      "addon-types",
      "columns",
      "config",
      "native",
      "replay",
      "simpler stories",
      "small worlds",
      "trace",
      "vm",
    ],
  },
  // What users can time on their machine: a comparison a file.
  {
    name: "trials",
    files: /^lib\/bench\/trials\//,
    may: [...leaves, "bench", "columns", "replay", "synth", "trace", "traces", "vm"],
    plugins: true,
  },
  {
    name: "bench",
    files: /^lib\/bench\//,
    may: [...leaves, "addon-types", "columns", "native", "version", "vm"],
  },
  // Data in, text out: a result's type is all it knows of a replay.
  {
    name: "report",
    files: /^lib\/report\//,
    may: [
      "address",
      "addon-types",
      "expect",
      "memslot numbers",
      "bench",
      "explanation",
      "metrics",
      "live kvm",
      "observe",
      "replay",
      "small worlds",
      "vectors",
      "witness",
    ],
  },
  {
    name: "replay",
    files: /^lib\/(replay(-\w+)?|compare(-\w+)?|runway|threads|audited)\.ts$/,
    may: [...leaves, "columns", "config", "metrics", "native", "projections", "trace", "version", "vm"],
  },
  {
    name: "index",
    files: /^lib\/index\.ts$/,
    may: [
      ...leaves,
      "bench",
      "columns",
      "config",
      "explanation",
      "native",
      "projections",
      "replay",
      "small worlds",
      "report",
      "recording",
      "synth",
      "trace",
      "traces",
      "verify",
      "version",
      "vm",
      "witness",
    ],
  },
  // The command is the library's first user: it has what every user has.
  {
    name: "commands",
    files: /^lib\/cli\/commands\//,
    may: ["cli", "index", "memslot numbers"],
    plugins: true,
  },
  { name: "cli", files: /^lib\/cli\//, may: ["index"] },
];

export const groups: readonly Group[] = [...native, ...lib];

export const groupOf = (path: string): Group | undefined => groups.find((group) => group.files.test(path));

/** Why `from` may not import `to`, or undefined if it may. */
export function refusal(from: string, to: string): string | undefined {
  const [source, target] = [groupOf(from), groupOf(to)];
  if (!source) return `${from} belongs to no group`;
  if (!target) return `${from} imports ${to}, which belongs to no group`;
  // A plug-in's own header, and files that its folder's contract consists of.
  if (source === target) {
    const own = from.replace(/\.\w+$/, "") === to.replace(/\.\w+$/, "");
    return source.plugins && !own ? `${from} imports its sibling ${to}` : undefined;
  }
  // A single file may be allowed where its group is not.
  const named = source.may.some((name) => name === target.name || to.endsWith(`/${name}`));
  return named ? undefined : `${from} (${source.name}) imports ${to} (${target.name})`;
}
