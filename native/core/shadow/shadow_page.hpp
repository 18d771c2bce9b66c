// One shadow page: for which frame and purpose it is, and how it stands.
//
// KVM: struct kvm_mmu_page (v6.16).
#pragma once

#include <cstdint>

#include "core/role.hpp"

namespace mmu {

// The number of a shadow page while it is there.
using ShadowId = std::uint32_t;
inline constexpr ShadowId kNoShadow = 0;

struct ShadowPage {
  // Of the guest's table; of a direct page, the first that it maps.
  Gfn gfn;
  // kInvalid once it was zapped while it was a root.
  PageRole role;
  // Tables that the VM had ever made before this page.
  std::uint32_t born = 0;
  // How many roots it is, of vCPUs that have it loaded or remember it.
  std::uint32_t roots = 0;
  // The guest may write its table, and need not be asked before it flushes.
  bool is_unsync = false;
  // Emulated writes to its table since it was walked last.
  std::uint8_t writes = 0;

  unsigned level() const { return role.level(); }
  // It stands for a table of the guest's, whose writes are watched.
  bool has_gptes() const { return !role.has(PageRole::kDirect); }
  bool is_invalid() const { return role.has(PageRole::kInvalid); }
};

}  // namespace mmu
