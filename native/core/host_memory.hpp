// What the host's own page tables say of guest memory, where that is not the
// usual: resident, writable, at the frames and in the page size that the slot
// was given.
//
// A value, keyed by host pages. It knows no slot and sends no invalidation:
// whoever changes it has told KVM before, as mm does. Mappings that are set one
// by one stay apart, and no leaf spans two of them.
//
// Law: mappings are not empty, and no two of them overlap
// (test/native/host_memory_test.cpp).
//
// KVM: what hva_to_pfn() and host_pfn_mapping_level() find (v6.16).
#pragma once

#include <map>

#include "core/address.hpp"
#include "core/machine.hpp"

namespace mmu {

using HostPage = Number<struct HostPageTag>;  // an hva, in pages
using HostRange = Range<HostPage>;

constexpr HostPage page_of(Hva hva) { return {hva.value >> kPageShift}; }

// One mapping, in the form in which a page of it asks.
struct HostMapping {
  HostRange pages{};
  HostState state = HostState::kReadWrite;
  Level level = Level::k4K;
  bool has_frames = false;  // else those of the slot
  Pfn first_frame{};

  Pfn frame_of(HostPage page) const {
    return {first_frame.value + (page.value - pages.start.value)};
  }
};

class HostMemory {
 public:
  bool empty() const noexcept { return mappings_.empty(); }
  // Null where the page is as usual.
  const HostMapping* find(HostPage page) const noexcept;
  bool meets(HostRange pages) const noexcept;

  // Takes the place of whatever was set for these pages. Where memory runs out
  // everything stays as it was.
  void set(const HostMapping& mapping);
  // The pages are as usual again. Where memory runs out, as set().
  void forget(HostRange pages);
  // A page that had to be read in first.
  void make_resident(HostPage page);

  template <class Add>
  void each_word(Add add) const {
    add(mappings_.size());
    for (const auto& [first, mapping] : mappings_) {
      add(first.value);
      add(mapping.pages.end.value);
      add(static_cast<std::uint64_t>(mapping.state));
      add(number_of(mapping.level));
      add(mapping.has_frames ? mapping.first_frame.value : kUsualFrames);
    }
  }

 private:
  static constexpr std::uint64_t kUsualFrames = ~std::uint64_t{0};

  using Mappings = std::map<HostPage, HostMapping>;  // by first page

  // The first mapping that has a page at or above `page`.
  Mappings::const_iterator first_ending_above(HostPage page) const noexcept;
  // Makes `page` the first of a mapping, if it is in one.
  void cut_at(HostPage page);
  // Of mappings that were cut at both ends.
  void erase(HostRange pages) noexcept;

  Mappings mappings_;
};

// Why such a mapping cannot be had on a host with so many frames.
std::optional<Error> check_host_mapping(const HostMappingRequest& request,
                                        std::uint64_t frames);
HostMapping mapping_of(const HostMappingRequest& request);

}  // namespace mmu
