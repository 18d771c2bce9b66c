// The roots that vCPUs have loaded, among the legacy MMU's other pages: one
// limit, one order of age, and one flush for all that is freed at once.
// KVM: kvm_mmu_reload(), kvm_mmu_load() (v6.16).
#include "core/guest/guest.hpp"
#include "core/rmap_ops.hpp"

namespace mmu {
namespace {

// A vCPU that nobody has asked of is as it came out of reset.
RootRequest request_of(const Mmu& mmu, unsigned vcpu) {
  const bool is_known = mmu.guest != nullptr && vcpu < mmu.guest->vcpus.size();
  if (!is_known) return root_request({}, {});
  const GuestVcpu& of = mmu.guest->vcpus[vcpu];
  return root_request(of.registers, of.rules.pdptrs);
}

}  // namespace

// The first slot brings the room for pages.
// KVM: kvm_arch_commit_memory_region().
void RmapOps::keep_roots() {
  roots_ = std::make_unique<ShadowRoots>(mmu_);
  max_pages_ = 0;
}

std::uint64_t RmapOps::used_pages() const {
  return hash_.size() + (roots_ ? roots_->used() : 0);
}

std::string_view RmapOps::load_root(unsigned vcpu) {
  if (!roots_) return {};
  if (roots_->free_obsolete(vcpu)) mmu_.flush.all();
  const RootRequest request = request_of(mmu_, vcpu);
  if (roots_->has_root(vcpu, request)) return {};
  if (!make_pages_available()) return "ENOSPC";
  roots_->load(vcpu, request);
  return {};
}

void RmapOps::unload_roots(unsigned vcpu) {
  if (roots_ && roots_->unload(vcpu)) mmu_.flush.all();
}

void RmapOps::switch_root(unsigned vcpu) {
  if (!roots_) return;
  if (roots_->switch_to(vcpu, request_of(mmu_, vcpu))) mmu_.flush.all();
}

bool RmapOps::zap_guest_tables(GfnRange frames) {
  return roots_ && roots_->zap_tables(frames);
}

void RmapOps::add_roots_of(Digest& digest, unsigned vcpu) const {
  if (roots_) roots_->add_vcpu(digest, vcpu);
}

void RmapOps::emulated_write(Gfn gfn) {
  if (roots_ && roots_->write_table(gfn, {})) mmu_.flush.all();
}

// The oldest page that is no root. False if there is none.
bool RmapOps::zap_one_old() {
  const PageId table = active_.first();
  const ShadowId idle = roots_ ? roots_->oldest_idle() : kNoShadow;
  const bool is_older = idle != kNoShadow &&
                        (table == kNoShadow ||
                         roots_->born(idle) < mmu_.pool.header(table).serial);
  if (is_older) {
    roots_->zap(idle);
  } else if (table != kNoShadow) {
    zap_table(table);
  }
  return is_older || table != kNoShadow;
}

}  // namespace mmu
