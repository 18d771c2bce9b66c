// The registry of vendors: what is linked in is what exists.
//
// It knows no vendor by name.
#include <algorithm>

#include "trace/vendor.hpp"

namespace mmu::trace {
namespace {

// Constant-initialised, so it is there before any entry's constructor runs.
constinit const VendorEntry* first_entry = nullptr;

}  // namespace

VendorEntry::VendorEntry(const Vendor& v) noexcept
    : vendor(v), next(first_entry) {
  first_entry = this;
}

std::span<const Vendor> vendors() {
  static const std::vector<Vendor> sorted = [] {
    std::vector<Vendor> all;
    for (auto* entry = first_entry; entry; entry = entry->next) {
      all.push_back(entry->vendor);
    }
    std::ranges::sort(all, {}, &Vendor::rank);
    return all;
  }();
  return sorted;
}

const Vendor* find_vendor(std::string_view name) {
  const auto all = vendors();
  const auto found = std::ranges::find(all, name, &Vendor::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace mmu::trace
