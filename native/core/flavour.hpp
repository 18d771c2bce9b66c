// How KVM finds and changes the mappings of a frame: the one thing in which
// its two MMUs differ.
//
// The TDP MMU walks each view's tree; the legacy MMU asks its shadow-page hash
// on the way down and its reverse maps on the way back. Ranges are of slot
// frames. What is taken from a leaf is told to `mmu.flush`, alias by alias; no
// function here flushes unless it says so.
#pragma once

#include <memory>
#include <optional>

#include "core/fault.hpp"
#include "core/shadow_hash.hpp"

namespace mmu {

// KVM: KVM_MIN_ALLOC_MMU_PAGES.
inline constexpr std::uint64_t kLeastMmuPages = 64;

// The books that the legacy MMU keeps of its shadow pages.
struct ShadowBooks {
  const ShadowHash& hash;
  const ParentLists& parents;
  const PageQueue& active;
};
class Digest;

class FlavourOps {
 public:
  virtual ~FlavourOps() = default;

  // Whether there is memory for whatever one fault may make. False leaves
  // everything as it was.
  virtual bool ensure_room(const Fault& fault) = 0;
  // A vCPU has a root before it runs. After the pool ensured a path.
  virtual void make_root(RootId root) = 0;
  // Puts the leaf, or without a slot the MMIO entry, that answers a fault. May
  // flush. After the pool ensured a path.
  virtual OutcomeCode map(Fault& fault, Memslot* slot) = 0;
  // Zaps what the page's other alias maps, as the strategy's source does on a
  // fault. Flushes what it took.
  virtual void zap_other_alias(const Fault& fault) = 0;

  // Zaps leaves that meet the range, huge ones whole. True if one went.
  virtual bool zap(ZapCause cause, GfnRange range) = 0;
  // The host takes its pages back: as zap(), but private leaves that stand on
  // them are blocked.
  virtual bool invalidate_host(GfnRange range) = 0;
  // Whether what the host's pages behind these frames are mapped by has been
  // used; with `clear`, marks it unused. Never owes a flush.
  // KVM: kvm_age_gfn(), kvm_test_age_gfn().
  virtual bool age(GfnRange range, bool clear) = 0;
  // Drops every table of the direct root. May flush.
  // KVM: kvm_mmu_zap_all_fast().
  virtual void zap_all_fast() = 0;

  // Takes a table that is not a root, with whatever is reached by it alone.
  // Everything has to be flushed.
  // KVM: kvm_tdp_mmu_zap_sp(), kvm_mmu_prepare_zap_page().
  virtual void zap_table(PageId page) = 0;

  // Takes W, and what would give it back, from every leaf of `min_level` or
  // above that maps the frame, whoever it belongs to. True if one changed, and
  // everything has to be flushed at once.
  // KVM: kvm_mmu_slot_gfn_write_protect().
  virtual bool write_protect(Gfn gfn, Level min_level) = 0;

  // Dirty logging of one slot, on what is not private. The caller flushes:
  // after arm() always.
  virtual void arm(const Memslot& slot) = 0;
  virtual void rearm(const Memslot& slot, Gfn first, std::uint64_t mask) = 0;
  // Huge pages again. True if a flush of the slot is due.
  virtual bool disarm(const Memslot& slot) = 0;

  // Takes the right to write, and to get it back without the lock, from
  // whatever maps these frames of a slot. True if something changed. KVM:
  // kvm_mmu_slot_gfn_write_protect().
  virtual bool write_protect_gfns(const Memslot& slot, GfnRange frames) = 0;
  // How many shadow pages there may be: at least kLeastMmuPages. May zap and
  // flush. KVM: kvm_mmu_change_mmu_pages().
  virtual void set_page_limit(std::uint64_t) {}
  // A slot has come or gone; without a limit set by hand it follows.
  virtual void memory_changed() {}

  // Whether each vCPU has a root of its own, as its registers ask: where KVM
  // shadows the guest's tables. The next six do nothing elsewhere.
  virtual bool loads_roots() const { return false; }
  // An errno if it cannot be had. May zap and flush. KVM: kvm_mmu_reload().
  virtual std::string_view load_root(unsigned) { return {}; }
  // Its registers or its CPUID have changed. May flush.
  // KVM: kvm_mmu_reset_context().
  virtual void unload_roots(unsigned) {}
  // Its guest has loaded CR3: another root, if the vCPU has that one still. May
  // flush. KVM: kvm_mmu_new_pgd().
  virtual void switch_root(unsigned) {}
  // Zaps what stands for tables of the guest's in these frames. True if
  // everything has to be flushed.
  // KVM: kvm_mmu_zap_memslot_pages_and_flush().
  virtual bool zap_guest_tables(GfnRange) { return false; }
  virtual void add_roots_of(Digest&, unsigned) const {}
  // A write that was refused is emulated: one entry, nobody knows which. Who
  // shadows the guest's tables may zap and flush. KVM: kvm_mmu_track_write().
  virtual void emulated_write(Gfn) {}

  // How many reverse-map entries a frame has.
  virtual std::uint64_t rmap_count(Gfn) const { return 0; }
  virtual void append_tables(std::vector<TableView>&) const = 0;
  // For whoever checks them; none where tables are trees.
  virtual std::optional<ShadowBooks> books() const { return std::nullopt; }
  // Every table and what is in it, wherever it lies: fingerprint.hpp.
  virtual void add_tables(Digest& digest) const = 0;
};

std::unique_ptr<FlavourOps> make_tdp_ops(Mmu& mmu);
std::unique_ptr<FlavourOps> make_rmap_ops(Mmu& mmu, ParentLists& parents,
                                          PageQueue& active);

}  // namespace mmu
