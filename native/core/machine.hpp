// One VM, its alias strategy erased: all that the outside may ask of the core.
//
// Binding, native tests and benches know this header, event.hpp and error.hpp,
// and nothing below. There are no locks: whoever holds a machine uses it from
// one thread, and two machines have nothing in common. Only a crew that comes
// with a run has threads of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/event.hpp"
#include "core/guest/guest_requests.hpp"
#include "core/host_views.hpp"
#include "core/slot_types.hpp"
#include "core/state_views.hpp"
#include "core/tlb_shape.hpp"

namespace mmu {

// The most that a VM has: normal, SMM.
inline constexpr unsigned kAddressSpaces = 2;

// Which of KVM's MMUs is modelled: the TDP MMU walks trees, the legacy MMU
// keeps shadow pages in a hash, and reverse maps.
enum class Flavour : std::uint8_t { kTdp, kRmap };

// How the guest pages; alias bits go with 64-bit formats of its own only.
enum class GuestPaging : std::uint8_t { kLong, kPae, k32, kShadowEpt };

// What it means where a rule fires: something is wrong, or dearer than need be.
enum class RuleKind : std::uint8_t { kViolation, kAdvisory };

// Whose KVM: the base of the model, an old one, and the shadow-paging build
// that recorded the vectors of test/vectors.
enum class Kernel : std::uint8_t { k616, k510, kPvm618 };

// Whose tracepoints: 6.1 stands for the kernels between the two others.
enum class TraceRelease : std::uint8_t { k616, k61, k510 };

enum class Vendor : std::uint8_t { kIntel, kAmd };

// How the host's KVM was loaded and set up: module parameters, quirks, and
// what the processor has.
struct HostOptions {
  Vendor vendor = Vendor::kIntel;
  // Hardware sets Accessed and Dirty (eptad).
  bool ad_bits = true;
  // Page-modification log, in use while a slot is logged. Needs ad_bits.
  bool pml = false;
  // iTLB multihit workaround (nx_huge_pages).
  bool nx_huge_pages = false;
  // Huge pages are split when logging begins (eager_page_split).
  bool eager_page_split = true;
  // Frames without a slot get MMIO entries (mmio_caching).
  bool mmio_caching = true;
  // The L1TF mitigation of MMIO entries.
  bool l1tf = false;
  // Guest MTRRs and non-coherent DMA count.
  bool memory_types = false;
  // KVM_X86_QUIRK_SLOT_ZAP_ALL.
  bool slot_zap_all = true;
  // The guest takes asynchronous page faults.
  bool async_page_faults = false;
  // The APIC access page is mapped; else accesses to it are emulated.
  bool apicv = true;
};

// Where a fault lets others run.
enum class InterleaveAt : std::uint8_t {
  // Once in each fault that is about to map something: everything is looked
  // up, the lock not yet taken.
  kBeforeLock,
  // While an entry is frozen because the owner of external tables is asked for
  // it. The fault holds the lock for reading, so they may step accesses alone.
  kFrozen,
};

struct MachineConfig {
  // Width of a gpa, alias bits included: 32 to 52.
  unsigned address_bits = 48;
  // 4 up to 48 address bits, 4 or 5 never below what the width needs.
  unsigned root_level = 4;
  // Raw physical width of the modelled host (CPUID 0x80000008 EAX[7:0]): 36
  // to 52, and at least address_bits. The highest gfn that KVM maps, SEM 1.3.
  unsigned host_maxphyaddr = 48;
  // 0 to 65536; whoever starts with none makes them by create_vcpu().
  unsigned vcpus = 1;
  // Most memory that the tables may take; a multiple of 2 MiB is used.
  std::uint64_t arena_bytes = std::uint64_t{16} << 30;
  std::string strategy = "none";
  // Which bits are alias bits, and what they mean: alias_space.hpp.
  std::string preset = "none";
  Flavour mmu = Flavour::kTdp;
  // none, hyperv, fail:<k>: flush_provider.hpp.
  std::string flush_provider = "none";
  // Of each vCPU; no arrays, no TLB model.
  TlbShape tlb{};
  // Whether KVM's own slots exist: TSS, identity map, APIC access page.
  bool internal_slots = false;
  GuestPaging guest_paging = GuestPaging::kLong;
  // ok, busy:<k>, fail:<k>: external_tables.hpp. For `mirror` only.
  std::string external_tables = "ok";
  // Whether the VMM answers a memory fault by converting the page.
  bool convert_on_exit = false;
  Kernel kernel = Kernel::k616;
  HostOptions host{};
  // Leaves of one frame that the legacy MMU bears before it drops them all;
  // KVM: RMAP_RECYCLE_THRESHOLD. Sixteen aliases never get there, so a test
  // asks for less.
  unsigned rmap_recycle_threshold = 1000;
};

struct RunResult {
  std::size_t applied = 0;
  // Set when the run ended early; rows from `applied` on did nothing.
  bool failed = false;
  Error error{};
};

// Threads that help with runs of hits (hit_crew.hpp), asleep until then. They
// end with it.
class HitCrew;
std::shared_ptr<HitCrew> make_crew(unsigned helpers);

// What a run reports while it works, and how it is told to stop. Both are read
// and written once every kControlPeriod events; where a crew serves hits,
// `applied` is written when all have come back.
struct RunControl {
  static constexpr std::size_t kControlPeriod = 1024;

  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> applied{0};
  // Of whoever runs the batch; none: it does everything by itself.
  HitCrew* crew = nullptr;
};

class Machine : public GuestRequests {
 public:
  virtual const MachineConfig& config() const noexcept = 0;

  // Applies the rows in order. Every row is checked before the first is
  // applied: a batch with a bad row changes nothing. Out of memory ends the
  // run after the last row that was applied whole.
  virtual RunResult run(const EventColumns& events,
                        const OutcomeColumns& outcomes,
                        RunControl& control) = 0;
  virtual Result<Outcome> step(const Event& event) = 0;

  // KVM_SET_USER_MEMORY_REGION: create, move, change flags, or with bytes 0
  // delete. The outcome counts the entries that the change zapped.
  virtual Result<Outcome> set_memslot(const MemslotRegion& region) = 0;
  // Changes the host alone. Whoever takes something from KVM invalidates it
  // before, as mm does (kHvaBegin, kHvaEnd).
  virtual std::optional<Error> set_host_mapping(
      const HostMappingRequest& request) = 0;
  // KVM_PRE_FAULT_MEMORY through a vCPU. Where KVM would repeat itself until an
  // invalidation is over, it ends with EAGAIN.
  virtual Result<PrefaultResult> prefault(unsigned vcpu, std::uint64_t gpa,
                                          std::uint64_t bytes) = 0;
  virtual InvalidationView invalidation() const = 0;
  // What others do while a fault is on its way, from one place of it. The
  // events that they step are events of their own. None for an empty function.
  virtual void set_interleave(std::function<void(Machine&)> others,
                              InterleaveAt at = InterleaveAt::kBeforeLock) = 0;
  // KVM_SET_NR_MMU_PAGES: the most shadow pages that flavour rmap keeps, from
  // now on whatever the slots are. Zaps the oldest where there are more.
  virtual Result<Outcome> set_mmu_pages(std::uint64_t pages) = 0;
  virtual std::vector<MemslotView> memslots() const = 0;
  // One slot, by `as_id << 16 | id`.
  virtual std::optional<MemslotView> memslot(std::uint32_t slot) const = 0;
  // What keeps pages of `level`, 2M or 1G, out of a slot, one word for each.
  // None if there is no such slot or no such level.
  // KVM: kvm_lpage_info.disallow_lpage.
  virtual std::optional<std::vector<std::uint32_t>> lpage_info(
      std::uint32_t slot, std::uint8_t level) const = 0;
  // Generation of an address space's slot set; KVM: kvm_memslots.generation.
  virtual std::uint64_t generation(unsigned as_id) const = 0;

  // How many address spaces the VM has.
  virtual unsigned address_spaces() const = 0;

  // KVM_GET_DIRTY_LOG: the bitmap, little-endian bit order, in auto mode then
  // cleared and re-armed. `peek` only looks. With `copy_fails` the caller's
  // buffer is not mapped, which KVM finds out last.
  virtual Result<std::vector<std::uint64_t>> dirty_log(
      std::uint32_t slot, bool peek, bool copy_fails = false) = 0;
  // KVM_CLEAR_DIRTY_LOG. `bitmap`: what can be read of the caller's buffer.
  virtual Result<Outcome> clear_dirty_log(
      const DirtyLogClear& clear, std::span<const std::uint64_t> bitmap) = 0;
  // The VMM reads a vCPU's ring where it stopped last, and marks what it read;
  // `most` 0: all there is.
  virtual Result<std::vector<DirtyRingEntry>> collect_ring(
      std::uint32_t vcpu, std::uint64_t most) = 0;
  // KVM_RESET_DIRTY_RINGS.
  virtual Result<RingReset> reset_rings() = 0;

  // KVM_ENABLE_CAP: manual protection of dirty logs (168), dirty rings (192,
  // 223). An answer is a refusal, as for the next one.
  virtual std::optional<Error> enable_cap(std::uint32_t cap,
                                          std::uint32_t flags,
                                          std::uint64_t arg0) = 0;
  // KVM_CAP_DISABLE_QUIRKS2.
  virtual std::optional<Error> disable_quirks(std::uint64_t mask) = 0;
  // KVM_CREATE_VCPU: its number in events.
  virtual Result<std::uint32_t> create_vcpu(std::uint32_t id) = 0;
  // KVM_CREATE_GUEST_MEMFD: its number in MemslotRegion::memfd.
  virtual Result<std::int32_t> create_guest_memfd(std::uint64_t bytes,
                                                  std::uint64_t flags) = 0;
  // KVM itself writes guest memory while the vCPU runs, or reads it. What is
  // written counts as dirty page by page.
  virtual Result<GuestTransfer> guest_write(std::uint16_t vcpu,
                                            std::uint64_t gpa,
                                            std::uint64_t bytes) = 0;
  virtual Result<GuestTransfer> guest_read(std::uint64_t gpa,
                                           std::uint64_t bytes) = 0;

  // The tracepoints of KVM from now on, as this release prints them; none
  // turns them off. What was printed and not taken is forgotten. Fails where
  // there is no memory for the text.
  virtual std::optional<Error> set_trace(std::optional<TraceRelease>) = 0;
  // The lines since the last time, each with its end.
  virtual std::string take_trace() = 0;

  // The guest writes this memory type range register, on every vCPU. Needs
  // HostOptions::memory_types.
  virtual Result<Outcome> set_mtrr(std::uint32_t msr, std::uint64_t value) = 0;

  // What decides all that it will answer: fingerprint.hpp. Of a VM that rests.
  virtual StateParts state_parts() const = 0;
  Fingerprint fingerprint() const { return mmu::fingerprint(state_parts()); }

  // The path that hardware would take for this gpa. Changes nothing.
  virtual Result<std::vector<StepView>> walk(std::uint64_t gpa) const = 0;
  // The last step of the same for every row; none is written if one is bad.
  virtual std::optional<Error> walk_batch(const WalkColumns& rows) const = 0;
  // The same through every alias of the page, entries taken apart, and what
  // the TLBs have of it. Changes nothing.
  virtual Result<PageView> page(std::uint64_t gpa) const = 0;
  // Every leaf, through every alias, that maps the page at this gpa.
  virtual Result<std::vector<LeafView>> rmap(std::uint64_t gpa) const = 0;
  // Every present leaf in gpa order; with `mmio`, MMIO entries too.
  virtual std::vector<LeafView> leaves(bool mmio) const = 0;

  // Those of the vCPUs, summed, and then the VM's own.
  virtual std::vector<NamedCount> stats() const = 0;
  // Of one vCPU; kEvent if there is none of this number.
  virtual Result<std::vector<NamedCount>> stats(std::uint32_t vcpu) const = 0;
  virtual TableCounts tables() const = 0;
  virtual DirtyRounds dirty_rounds() const = 0;
  virtual std::vector<TableView> table_list() const = 0;
  // One row for each alias that hardware can be given, ascending.
  virtual std::vector<AliasLeaves> alias_leaves() const = 0;
  // How many reverse-map entries the page at this gpa has; 0 in flavour tdp.
  virtual Result<std::uint64_t> rmap_count(std::uint64_t gpa) const = 0;
  // The memory attribute of the page at this gpa.
  virtual Result<bool> is_private(std::uint64_t gpa) const = 0;
  virtual FlushView flushes() const = 0;
  // Rules that have fired, by id.
  virtual std::vector<ViolationView> violations() const = 0;
  // Advisories that have: nothing is wrong, and it could be cheaper.
  virtual std::vector<ViolationView> advisories() const = 0;
  // Ids of all rules, advisories too, that can fire in this VM, in order; of
  // structural ones, once there was an audit that counts.
  virtual std::vector<std::string_view> judged() const = 0;
  // What the structural rules find wrong with the state as it is. Changes
  // nothing.
  virtual AuditReport audit() const = 0;
  // Audits now and after every `period` events from here on, 0: now alone. What
  // is found this way is among the violations. Nothing is done now if nothing
  // has happened since the last of these audits.
  virtual void audit_every(std::uint64_t period) = 0;
  // What a vCPU's last memory fault left for its VMM to read; none if there was
  // none. KVM: kvm_run.memory_fault.
  virtual std::optional<MemoryFaultView> memory_fault(unsigned vcpu) const = 0;
  // Pages that conversions left mapped the way they were.
  virtual std::uint64_t coexisting() const = 0;
  // Conversions that the VMM made because of memory faults.
  virtual std::uint64_t conversions() const = 0;
};

Result<std::unique_ptr<Machine>> make_machine(const MachineConfig& config);

// Why a configuration that is valid in itself cannot be had; empty if it can.
Result<std::string> not_applicable(const MachineConfig& config);

// What a preset fixes.
struct PresetView {
  std::string_view kind;  // none, attribute, private-shared, stripped
  std::vector<unsigned> bits;
  unsigned address_bits = 0;  // 0: not fixed, and so the next
  unsigned root_level = 0;
  bool execute_only = false;
  std::vector<std::uint64_t> aliases;  // gpa offsets, 0 first
};
Result<PresetView> preset_view(std::string_view text);

struct DefectView {
  std::string_view id;
  bool tdp = false;
  bool rmap = false;
};
struct StrategyView {
  std::string_view name;
  std::string_view summary;
  bool tdp = false;
  bool rmap = false;
  bool attribute = false;
  bool private_shared = false;
  std::vector<DefectView> defects;
};
// By name.
std::vector<StrategyView> strategies();

struct RuleView {
  std::string_view id;
  RuleKind kind = RuleKind::kViolation;
  std::string_view sentence;
  std::string_view reason;
  std::string_view source;
  std::vector<std::string_view> defects;  // that show this way
  // Options of a VM without which it cannot be judged: tlb, flushProvider,
  // internalSlots, memoryTypes, audit.
  std::vector<std::string_view> needs;
};
// By id.
std::vector<RuleView> rules();

}  // namespace mmu
