// Facts about a strategy that need no computing. The defaults are the right
// ones; a source that does otherwise says so in its strategy's file.
#pragma once

#include <cstdint>

namespace mmu {

// What becomes of a private access that nothing backs.
enum class PrivateMiss : std::uint8_t { kMemoryFault, kError, kAsShared };

// What a fault does first when the page is mapped through the other alias.
enum class OnOtherAlias : std::uint8_t {
  kNothing,   // attributes, or nobody, keep them apart
  kZapLeaf,   // the other alias' leaf goes
  kZapByRmap  // every leaf of the gfn goes, found through its reverse map
};

// What a slot's end does beside dropping the shared tree.
enum class OnSlotEnd : std::uint8_t {
  kZapPrivate,      // zap the slot's private leaves
  kZapPrivateEach,  // the same, each with a flush of its own
  kLeavesOnly,      // drop no tree: zap the slot's leaves in both
  kForgetPrivate    // leave the private leaves where they are
};

// Facts about a strategy that are data; the defaults are the right ones.
struct AliasTraits {
  // Under private/shared presets: memory attributes decide, a mismatch exits
  // to the VMM, and a conversion zaps the opposite alias.
  bool checks_attributes = true;
  // Both aliases of a page must never be mapped at once.
  bool claims_exclusion = true;
  PrivateMiss private_miss = PrivateMiss::kMemoryFault;
  OnOtherAlias on_other_alias = OnOtherAlias::kNothing;
  OnSlotEnd on_slot_end = OnSlotEnd::kZapPrivate;
  // The slot's hvas back private memory too: a host unmap blocks its leaves.
  bool private_is_host_memory = false;
  bool small_leaves_only = false;
  // Its kernel looks at no MTRR of the guest's.
  bool ignores_mtrrs = false;
  // An alias is a memslot of its own.
  bool twin_slots = false;
  // A private access to one of KVM's own slots is an error.
  bool private_internal_is_error = false;
  // KVM asks an external page-table owner before it installs private entries.
  bool external_tables = false;
};

}  // namespace mmu
