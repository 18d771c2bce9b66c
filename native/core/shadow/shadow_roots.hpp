// The roots of a VM whose KVM pages by shadow tables alone: who has which
// loaded, and what becomes of their pages.
//
// It counts, and watches writes to the guest's tables. It knows no limit of
// pages, and flushes nothing: where memory was freed it says so, and everything
// has to be flushed once.
//
// Nothing is mapped below a root: accesses go through the tree of the VM's
// direct root, whatever a vCPU has loaded.
//
// KVM: kvm_mmu_load(), kvm_mmu_free_roots(), kvm_mmu_free_obsolete_roots()
// (v6.16).
#pragma once

#include <vector>

#include "core/mmu.hpp"
#include "core/shadow/root_cache.hpp"
#include "core/shadow/root_request.hpp"
#include "core/shadow/write_flooding.hpp"

namespace mmu {

class Digest;

class ShadowRoots {
 public:
  explicit ShadowRoots(Mmu& mmu) : mmu_(mmu) {}

  // Pages that take room, zapped roots among them.
  std::uint64_t used() const { return pages_.used(); }
  // The oldest page that is no root, or kNoShadow.
  ShadowId oldest_idle() const;
  std::uint32_t born(ShadowId page) const { return pages_[page].born; }

  // True if memory was freed.
  bool zap(ShadowId page);
  bool zap_all();
  // Pages that shadow a table of the guest's in these frames.
  bool zap_tables(GfnRange frames);

  // Every root of the vCPU goes, those that it had before too. True if memory
  // was freed.
  bool unload(unsigned vcpu);
  // The same of those that are of the past, if it was told that some may be.
  bool free_obsolete(unsigned vcpu);

  // The guest has written a table of its own, and KVM has emulated it. True if
  // memory was freed.
  bool write_table(Gfn gfn, const TableWrite& write);

  // Its root is another from now on, or has to be loaded; the one that it had
  // before is remembered. True if memory was freed.
  bool switch_to(unsigned vcpu, const RootRequest& request);

  // Whether it has a root, or gets one that takes no room.
  bool has_root(unsigned vcpu, const RootRequest& request);
  // For a vCPU that has none. There is room for one page at least.
  void load(unsigned vcpu, const RootRequest& request);

  // What of it decides what comes.
  void add_pages(Digest& digest) const;
  void add_vcpu(Digest& digest, unsigned vcpu) const;

 private:
  struct VcpuRoots {
    RootCache roots;
    // KVM: KVM_REQ_MMU_FREE_OBSOLETE_ROOTS.
    bool must_look = false;
  };

  VcpuRoots& of(unsigned vcpu);
  bool is_visible(Gfn gfn);
  ShadowId root_for(Gfn gfn, PageRole role);
  ShadowId make(Gfn gfn, PageRole role);
  LoadedRoot direct_root(const RootRequest& request);
  LoadedRoot pae_root(const RootRequest& request);
  bool release(const LoadedRoot& root);
  void tell_vcpus();

  Mmu& mmu_;
  ShadowPages pages_;
  std::vector<VcpuRoots> vcpus_;  // as far as any has loaded a root
};

}  // namespace mmu
