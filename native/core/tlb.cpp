#include "core/tlb.hpp"

#include <bit>
#include <cstring>
#include <string>

namespace mmu {
namespace {

Error refuse(TlbGeometry geometry, const std::string& expected) {
  return {ErrorCode::kConfig,
          {{{"entries", geometry.entries}, {"ways", geometry.ways}}},
          "a TLB of " + std::to_string(geometry.entries) + " entries in " +
              std::to_string(geometry.ways) + " ways must have " + expected};
}

Result<TlbGeometry> check(TlbGeometry geometry) {
  if (geometry.ways < 1 || geometry.ways > TlbGeometry::kMostWays) {
    return refuse(geometry,
                  "1 to " + std::to_string(TlbGeometry::kMostWays) + " ways");
  }
  if (geometry.entries < 1 || geometry.entries > TlbGeometry::kMostEntries) {
    return refuse(
        geometry,
        "1 to " + std::to_string(TlbGeometry::kMostEntries) + " entries");
  }
  if (geometry.entries % geometry.ways != 0) {
    return refuse(geometry, "a multiple of its ways as entries");
  }
  return geometry;
}

}  // namespace

Tlb::Tlb(TlbGeometry geometry, std::uint64_t* tags, TlbEntry* entries)
    : tags_(tags),
      entries_(entries),
      sets_(geometry.sets()),
      ways_(geometry.ways),
      power_of_two_(std::has_single_bit(geometry.sets())) {}

TlbEntry& Tlb::victim_of(AliasedGfn gfn) noexcept {
  const unsigned first = first_of(gfn);
  unsigned oldest = first;
  for (unsigned at = first; at < first + ways_; ++at) {
    if (tags_[at] == kUnused) return entries_[at];
    if (entries_[at].last_use < entries_[oldest].last_use) oldest = at;
  }
  return entries_[oldest];
}

TlbEntry& Tlb::insert(const TlbEntry& entry) noexcept {
  TlbEntry* same = lookup(entry.root, entry.incarnation, entry.gfn);
  TlbEntry& place = same != nullptr ? *same : victim_of(entry.gfn);
  std::uint64_t& tag = tags_[&place - entries_];
  used_ += tag == kUnused;
  tag = tag_of(entry.root, entry.gfn);
  place = entry;
  touch(place);
  return place;
}

void Tlb::flush_all() noexcept {
  if (used_ == 0) return;
  std::memset(tags_, 0, sizeof *tags_ * sets_ * ways_);
  used_ = 0;
}

Result<TlbSet> TlbSet::create(TlbGeometry geometry, unsigned vcpus) {
  const Result<TlbGeometry> checked = check(geometry);
  if (!checked) return checked.error();
  TlbSet set;
  if (auto error = set.add(geometry, vcpus)) return *std::move(error);
  return set;
}

std::optional<Error> TlbSet::add(TlbGeometry geometry, unsigned vcpus) {
  const std::uint64_t count = std::uint64_t{geometry.entries} * vcpus;
  auto tags = LazyArray<std::uint64_t>::create(count);
  if (!tags) return tags.error();
  auto entries = LazyArray<TlbEntry>::create(count);
  if (!entries) return entries.error();
  blocks_.reserve(blocks_.size() + 1);
  tlbs_.reserve(tlbs_.size() + vcpus);
  blocks_.push_back({std::move(tags.value()), std::move(entries.value())});
  const Block& block = blocks_.back();
  for (unsigned vcpu = 0; vcpu < vcpus; ++vcpu) {
    const std::size_t first = std::size_t{geometry.entries} * vcpu;
    tlbs_.emplace_back(geometry, block.tags.data() + first,
                       block.entries.data() + first);
  }
  return std::nullopt;
}

}  // namespace mmu
