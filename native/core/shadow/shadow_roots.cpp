#include "core/shadow/shadow_roots.hpp"

#include "core/digest.hpp"
#include "core/write_track_ops.hpp"

namespace mmu {
namespace {

// Frames that one of PAE's four pages covers: 1 GiB.
constexpr std::uint64_t kPaePageFrames = pages_per(Level::k1G);
constexpr unsigned kPaePageLevel = 2;
constexpr unsigned kLongModeLevels = 4;
constexpr unsigned k32BitLevels = 2;
constexpr std::uint64_t kPresent = 1;

// Of CR3 or a PDPTE, without what is no address.
Gfn table_of(std::uint64_t word) {
  return {(word & bits(51, kPageShift)) >> kPageShift};
}

// Writes are refused to a table that has others below it; the last level may
// be written, and is out of step then.
bool is_watched(const ShadowPage& page) {
  return page.has_gptes() && page.level() > 1;
}

GfnRange frame(Gfn gfn) { return {gfn, {gfn.value + 1}}; }

}  // namespace

ShadowRoots::VcpuRoots& ShadowRoots::of(unsigned vcpu) {
  if (vcpu >= vcpus_.size()) vcpus_.resize(vcpu + 1);
  return vcpus_[vcpu];
}

bool ShadowRoots::is_visible(Gfn gfn) {
  const Memslot* slot = mmu_.slots().find(gfn);
  return slot != nullptr && !slot->is_internal();
}

ShadowId ShadowRoots::oldest_idle() const {
  ShadowId page = pages_.first();
  while (page != kNoShadow && pages_[page].roots != 0)
    page = pages_.after(page);
  return page;
}

// KVM: __kvm_mmu_prepare_zap_page().
bool ShadowRoots::zap(ShadowId page) {
  const ShadowPage& at = pages_[page];
  const bool unwatches = !at.is_invalid() && is_watched(at);
  if (unwatches) untrack_writes(mmu_, frame(at.gfn));
  ++mmu_.stats.mmu_shadow_zapped;
  const bool is_freed = pages_.zap(page) == ShadowZap::kFreed;
  if (!is_freed) tell_vcpus();
  return is_freed;
}

// KVM: kvm_zap_obsolete_pages().
bool ShadowRoots::zap_all() {
  tell_vcpus();
  bool freed = false;
  while (pages_.first() != kNoShadow) freed |= zap(pages_.first());
  return freed;
}

// KVM: kvm_mmu_zap_memslot_pages_and_flush().
bool ShadowRoots::zap_tables(GfnRange frames) {
  bool freed = false;
  ShadowId page = pages_.first();
  while (page != kNoShadow) {
    const ShadowId next = pages_.after(page);
    const ShadowPage& at = pages_[page];
    const bool is_in = at.gfn >= frames.start && at.gfn < frames.end;
    if (is_in && at.has_gptes()) freed |= zap(page);
    page = next;
  }
  return freed;
}

// Nothing is mapped below a root, so no entry has to be cleared.
bool ShadowRoots::write_table(Gfn gfn, const TableWrite& write) {
  if (pages_.tables() == 0) return false;
  ++mmu_.stats.mmu_pte_write;
  bool freed = false;
  pages_.for_each_table(gfn, [&](ShadowId id) {
    ShadowPage& page = pages_[id];
    if (is_torn(page, write) || floods(page)) {
      ++mmu_.stats.mmu_flooded;
      freed |= zap(id);
    } else if (page.level() > 1 && write.entry != 0) {
      mmu_.stats.mmu_pde_zapped += entries_written(page, write).count;
    }
  });
  return freed;
}

bool ShadowRoots::unload(unsigned vcpu) {
  bool freed = false;
  of(vcpu).roots.drop_if(
      [](const LoadedRoot&) { return true; },
      [&](const LoadedRoot& root) { freed |= release(root); });
  return freed;
}

bool ShadowRoots::free_obsolete(unsigned vcpu) {
  VcpuRoots& at = of(vcpu);
  if (!std::exchange(at.must_look, false)) return false;
  bool freed = false;
  at.roots.drop_if(
      [&](const LoadedRoot& root) { return is_obsolete(root, pages_); },
      [&](const LoadedRoot& root) { freed |= release(root); });
  return freed;
}

bool ShadowRoots::switch_to(unsigned vcpu, const RootRequest& request) {
  const RootCache::Switched done =
      of(vcpu).roots.switch_to(request.pgd, request.role, pages_);
  return release(done.gone);
}

// KVM: mmu_alloc_shadow_roots(), kvm_mmu_get_dummy_root().
bool ShadowRoots::has_root(unsigned vcpu, const RootRequest& request) {
  LoadedRoot& current = of(vcpu).roots.current;
  if (current.is_there()) return true;
  if (request.is_direct() || is_visible(table_of(request.pgd))) return false;
  current = {.kind = LoadedRoot::Kind::kDummy};
  return true;
}

void ShadowRoots::load(unsigned vcpu, const RootRequest& request) {
  LoadedRoot& current = of(vcpu).roots.current;
  pages_.reserve(kPaeRoots);
  if (request.is_direct()) {
    current = direct_root(request);
  } else if (request.guest_levels < kLongModeLevels) {
    current = pae_root(request);
  } else {
    current = {.kind = LoadedRoot::Kind::kPage, .pgd = request.pgd};
    current.pages[0] = root_for(table_of(request.pgd), request.role);
  }
}

// With paging off: what is below 4 GiB, one to one. KVM:
// mmu_alloc_direct_roots().
LoadedRoot ShadowRoots::direct_root(const RootRequest& request) {
  LoadedRoot root{.kind = LoadedRoot::Kind::kPae};
  for (unsigned i = 0; i < kPaeRoots; ++i) {
    root.pages[i] =
        root_for({i * kPaePageFrames}, request.role.at_level(kPaePageLevel));
  }
  return root;
}

// A table of 32-bit paging covers 4 GiB, a quarter a page; with PAE each root
// entry that is present has a table of its own.
LoadedRoot ShadowRoots::pae_root(const RootRequest& request) {
  LoadedRoot root{.kind = LoadedRoot::Kind::kPae};
  const PageRole role = request.role.at_level(kPaePageLevel);
  for (unsigned i = 0; i < kPaeRoots; ++i) {
    if (request.guest_levels == k32BitLevels) {
      root.pages[i] = root_for(table_of(request.pgd), role.in_quadrant(i));
      continue;
    }
    const std::uint64_t entry = request.pdptrs[i];
    const Gfn gfn = table_of(entry);
    const bool leads = (entry & kPresent) != 0 && is_visible(gfn);
    if (leads) root.pages[i] = root_for(gfn, role);
  }
  return root;
}

ShadowId ShadowRoots::root_for(Gfn gfn, PageRole role) {
  ShadowId page = pages_.find(gfn, role);
  if (page == kNoShadow) page = make(gfn, role);
  pages_[page].writes = 0;
  ++pages_[page].roots;
  return page;
}

ShadowId ShadowRoots::make(Gfn gfn, PageRole role) {
  if (is_watched({.gfn = gfn, .role = role})) track_writes(mmu_, frame(gfn));
  ++mmu_.stats.mmu_cache_miss;
  return pages_.make(gfn, role, mmu_.accounts.tables_made);
}

// A page that nobody has as a root stays, to be found again, unless it was
// zapped meanwhile. KVM: mmu_free_root_page().
bool ShadowRoots::release(const LoadedRoot& root) {
  bool freed = false;
  for (const ShadowId page : root.pages) {
    if (page == kNoShadow) continue;
    const bool is_last = --pages_[page].roots == 0;
    if (is_last && pages_[page].is_invalid()) freed |= zap(page);
  }
  return freed;
}

void ShadowRoots::tell_vcpus() {
  for (VcpuRoots& vcpu : vcpus_) vcpu.must_look = true;
}

// In their order, which is that of recycling.
void ShadowRoots::add_pages(Digest& digest) const {
  for (ShadowId page = pages_.first(); page != kNoShadow;
       page = pages_.after(page)) {
    digest.add(pages_[page].gfn.value);
    digest.add(pages_[page].role.word | std::uint64_t{pages_[page].roots}
                                            << 32);
  }
  if (used() != 0) digest.add(used());
}

void ShadowRoots::add_vcpu(Digest& digest, unsigned vcpu) const {
  if (vcpu >= vcpus_.size()) return;
  digest.add(vcpus_[vcpu].must_look);
  vcpus_[vcpu].roots.for_each([&](const LoadedRoot& root) {
    digest.add(static_cast<std::uint64_t>(root.kind));
    digest.add(root.pgd);
    for (const ShadowId page : root.pages) {
      digest.add(page == kNoShadow ? 0 : pages_[page].role.word);
      digest.add(page == kNoShadow ? 0 : pages_[page].gfn.value);
    }
  });
}

}  // namespace mmu
