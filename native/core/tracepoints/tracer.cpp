#include "core/tracepoints/tracer.hpp"

namespace mmu {
namespace {

// PFERR_* bits. KVM: asm/kvm_host.h.
constexpr std::uint64_t kPresent = bit(0);
constexpr std::uint64_t kWrite = bit(1);
constexpr std::uint64_t kUser = bit(2);
constexpr std::uint64_t kReserved = bit(3);
constexpr std::uint64_t kFetch = bit(4);
constexpr std::uint64_t kGuestFinal = bit(32);

// Of an exit qualification: the address came out of the guest's own walk, and
// is where that walk ended; a trace has no others.
constexpr std::uint64_t kFinalTranslation = bit(7) | bit(8);
constexpr unsigned kGrantedShift = 3;

// KVM's own reading of an EPT violation; v6.16 drops kGuestFinal by mistake.
std::uint64_t pferr_of(const Fault& fault) {
  if (fault.reserved) return kReserved;
  return ((fault.access & kAccessRead) != 0 ? kUser : 0) |
         ((fault.access & kAccessWrite) != 0 ? kWrite : 0) |
         ((fault.access & kAccessFetch) != 0 ? kFetch : 0) |
         (fault.present ? kPresent : 0);
}

// Nested tables are walked as a user, and what is reserved is present.
std::uint64_t npf_of(const Fault& fault) {
  return kUser | ((fault.access & kAccessWrite) != 0 ? kWrite : 0) |
         ((fault.access & kAccessFetch) != 0 ? kFetch : 0) |
         (fault.present || fault.reserved ? kPresent : 0) |
         (fault.reserved ? kReserved : 0);
}

std::uint64_t qualification_of(const Fault& fault) {
  static_assert(kAccessRead == 1 && kAccessWrite == 2 && kAccessFetch == 4);
  return fault.access | std::uint64_t{fault.granted} << kGrantedShift |
         kFinalTranslation;
}

tracepoint::FaultCodes codes_of(const MachineConfig& config,
                                const Fault& fault) {
  if (config.kernel == Kernel::kPvm618) return {npf_of(fault), npf_of(fault)};
  if (config.host.vendor == Vendor::kIntel) {
    return {qualification_of(fault), pferr_of(fault)};
  }
  const std::uint64_t npf = npf_of(fault) | kGuestFinal;
  return {npf, npf};
}

}  // namespace

Spte Tracer::read(TableRef table, unsigned index) const {
  return mmu_.tree(RootId::kDirect).get(table, index);
}

AliasedGfn Tracer::frame_of(TableRef table, unsigned index) const {
  return {mmu_.pool.header(table.id).gfn.value +
          index * pages_per(table.level)};
}

std::uint64_t Tracer::at(TableRef table, unsigned index) const {
  return (std::uint64_t{table.id} << kPageShift) + index * sizeof(Spte);
}

tracepoint::PageFault Tracer::described(const Fault& fault) const {
  return {fault.vcpu, gpa_of(fault.issued).value, codes_of(mmu_.config, fault)};
}

// Pages are described as they are made and as they go, when nobody holds them.
tracepoint::ShadowPage Tracer::described(Gfn gfn, PageRole role,
                                         RootId root) const {
  if (!mmu_.config.host.ad_bits) role = role.with(PageRole::kAdDisabled);
  const bool mirrored = mmu_.traits.external_tables && root == RootId::kPrivate;
  if (mirrored) role = role.with(PageRole::kMirror);
  const bool in_tree = mmu_.config.mmu == Flavour::kTdp;
  const auto direct = static_cast<unsigned>(RootId::kDirect);
  return {gfn, role, in_tree ? 0 : mmu_.incarnations[direct] & 1, 0};
}

tracepoint::ShadowPage Tracer::described(TableRef table) const {
  const PageHeader& header = mmu_.pool.header(table.id);
  return described(mmu_.alias.slot_gfn(header.gfn), header.role,
                   RootId::kDirect);
}

// A vCPU has a root before it runs, so the line of a new one comes before that
// of the first exit.
void Tracer::announce_root(RootId root) {
  const auto number = static_cast<unsigned>(root);
  const std::uint32_t making = mmu_.incarnations[number] + 1;
  const PageTable& tree = mmu_.tree(root);
  if (tree.has_root() || announced_[number] == making) return;
  announced_[number] = making;
  sink_->get_page(described(Gfn{0}, tdp_role(tree.root_level()), root), true);
}

void Tracer::page_fault(const Fault& fault) {
  announce_root(fault.root);
  // A misconfigured EPT entry is an exit of its own, without this tracepoint.
  const bool is_npt = mmu_.config.host.vendor == Vendor::kAmd;
  if (fault.reserved && !is_npt) return;
  sink_->page_fault(described(fault));
}

void Tracer::spte_requested(const Fault& fault, Pfn pfn, Level level) const {
  sink_->spte_requested({fault.gfn, fault.issued, pfn, level});
}

void Tracer::set_spte(const Fault& fault, TableRef table,
                      unsigned index) const {
  sink_->set_spte(
      {fault.gfn, read(table, index), table.level, at(table, index)});
}

void Tracer::mark_mmio_spte(const Fault& fault, TableRef table,
                            unsigned index) const {
  sink_->mark_mmio_spte({at(table, index), fault.gfn, read(table, index)});
}

void Tracer::mmio_page_fault(Spte spte, bool valid) const {
  sink_->check_mmio_spte({spte, mmu_.slots().generation(), valid});
  if (valid) sink_->handle_mmio_page_fault({spte});
}

void Tracer::fast_page_fault(const Fault& fault, TableRef table, unsigned index,
                             Spte old, bool fixed) const {
  const bool spurious =
      fixed && (old.permissions() & fault.access) == fault.access;
  sink_->fast_page_fault({described(fault), table.level, at(table, index), old,
                          read(table, index), spurious, fixed && !spurious});
}

void Tracer::zap_all_fast() const {
  std::uint64_t used = 0;
  const bool in_tree = mmu_.config.mmu == Flavour::kTdp;
  if (!in_tree) {
    for (const std::uint64_t tables : mmu_.accounts.tables) used += tables;
  }
  const auto direct = static_cast<unsigned>(RootId::kDirect);
  sink_->zap_all_fast({mmu_.incarnations[direct] & 1, used});
  if (in_tree) zap_root();
}

void Tracer::get_page(TableRef table, bool is_new) const {
  sink_->get_page(described(table), is_new);
}

void Tracer::prepare_zap_page(TableRef table) const {
  sink_->prepare_zap_page(described(table));
}

void Tracer::changed(TableRef table, unsigned index, Spte old,
                     Spte now) noexcept {
  const Gfn gfn = mmu_.alias.slot_gfn(frame_of(table, index));
  sink_->spte_changed({0, gfn.value, table.level, old, now});
  if (!old.is_link(table.level)) return;
  removed_table(link::table(old, below(table.level)), 0);
}

void Tracer::was_split(TableRef table, unsigned index, Spte huge) noexcept {
  const Gfn gfn = mmu_.alias.slot_gfn(frame_of(table, index));
  sink_->split_huge_page({gfn, huge, table.level, 0});
}

}  // namespace mmu
