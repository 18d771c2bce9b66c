#include "core/tlb.hpp"

#include <bit>
#include <cstring>
#include <utility>

namespace mmu {

// A tag has room for every kind and root, and for a frame number.
static_assert(kTlbKinds <= 8);
static_assert(kMaxAddressBits - kPageShift + 24 <= 64);
static_assert(span_of(leaf_kind(Level::k1G)) == Level::k1G);
static_assert(span_of(link_kind(Level::k2M)) == Level::k2M);
static_assert(span_of(link_kind(Level::k256T)) == Level::k256T);

// Arrays lie one after the other, then the caches of links.
TlbLayout::TlbLayout(const TlbShape& shape)
    : entries(shape.entries()), keeps_links(shape.has_links()) {
  std::uint32_t first = 0;
  for (const TlbGeometry& array : shape.arrays) {
    for (TlbKind kind = 0; kind < kLeafKinds; ++kind) {
      if (array.holds(1u << kind)) add(kind, {first, array.sets(), array.ways});
    }
    first += array.entries;
  }
  for (std::size_t i = 0; i < shape.links.size(); ++i) {
    const auto kind = static_cast<TlbKind>(kLeafKinds + i);
    if (shape.links[i] != 0) add(kind, {first, 1, shape.links[i]});
    first += shape.links[i];
  }
  for (TlbKind kind = 0; kind < kTlbKinds; ++kind) {
    places[kind].shift = index_shift(span_of(kind));
  }
}

void TlbLayout::add(TlbKind kind, TlbPlaces::Part part) {
  TlbPlaces& here = places[kind];
  const bool is_first = here.sets == 0;
  for (TlbPlaces::Part& at : here.parts) {
    if (at.sets != 0) continue;
    at = part;
    break;
  }
  here.sets += part.sets;
  here.mask = is_first && std::has_single_bit(part.sets) ? part.sets - 1u : 0u;
}

TlbWays Tlb::ways_of(const TlbPlaces& places, std::uint32_t set) noexcept {
  const TlbPlaces::Part* part = places.parts.data();
  for (; set >= part->sets; ++part) set -= part->sets;
  const std::uint32_t first = part->first + set * part->ways;
  return {first, first + part->ways};
}

TlbEntry& Tlb::victim_of(TlbKind kind, AliasedGfn gfn) noexcept {
  const TlbWays ways = ways_of(kind, gfn);
  std::uint32_t oldest = ways.first;
  for (std::uint32_t at = ways.first; at < ways.end; ++at) {
    if (!is_used(tags_[at])) return entries_[at];
    if (entries_[at].last_use < entries_[oldest].last_use) oldest = at;
  }
  if (is_link_kind(kind) && tops_[kind] < layout_->places[kind].parts[0].ways) {
    return entries_[ways.first + tops_[kind]++];
  }
  return entries_[oldest];
}

TlbEntry& Tlb::insert(const TlbEntry& entry) noexcept {
  TlbEntry* same = lookup(entry.kind, entry.root, entry.incarnation, entry.gfn);
  return same != nullptr ? put(*same, entry) : insert_absent(entry);
}

TlbEntry& Tlb::insert_absent(const TlbEntry& entry) noexcept {
  return put(victim_of(entry.kind, entry.gfn), entry);
}

TlbEntry& Tlb::put(TlbEntry& place, const TlbEntry& entry) noexcept {
  std::uint64_t& tag = tags_[&place - entries_];
  if (is_used(tag)) remove(place);
  ++used_[entry.kind];
  if (entry.is_part()) ++parts_[entry.level];
  tag = tag_of(entry.kind, entry.root, entry.gfn);
  place = entry;
  touch(place);
  return place;
}

void Tlb::flush_range(AliasedRange range) noexcept {
  if (range.empty()) return;
  AliasedRange wide = range;
  for (Level level = Level::k2M; level <= kMaxHugeLevel; level = above(level)) {
    if (parts_[number_of(level)] == 0) continue;
    const AliasedGfn last = round_down(AliasedGfn{range.end.value - 1}, level);
    wide = {round_down(range.start, level), {last.value + pages_per(level)}};
  }
  for_each_in(wide, [&](TlbEntry& entry) {
    if (entry.leaf_frames().overlaps(range)) remove(entry);
  });
}

// Entries of earlier epochs are as good as none; when the numbers have all been
// used, every 2^20 flushes, they are cleared in earnest.
void Tlb::flush_all() noexcept {
  if (used() == 0) return;
  overdue_.clear();
  used_ = {};
  parts_ = {};
  tops_ = {};
  if (++epoch_ <= kEpochMask) return;
  std::memset(tags_, 0, sizeof *tags_ * layout_->entries);
  epoch_ = 1;
}

// However many there were, it is one flush.
void TlbSet::serve(unsigned vcpu) noexcept {
  Tlb& tlb = tlbs_[vcpu];
  have_served_.add(vcpu);
  tlb.served_ = requests_;
  tlb.flush_all();
}

Result<TlbSet> TlbSet::create(const TlbShape& shape, unsigned vcpus) {
  if (auto error = refuse_shape(shape)) return *std::move(error);
  TlbSet set(shape);
  if (auto error = set.add(vcpus)) return *std::move(error);
  return set;
}

std::optional<Error> TlbSet::add(unsigned vcpus) {
  const std::uint64_t each = layout_->entries;
  const std::uint64_t count = each * vcpus;
  auto tags = LazyArray<std::uint64_t>::create(count);
  if (!tags) return tags.error();
  auto entries = LazyArray<TlbEntry>::create(count);
  if (!entries) return entries.error();
  blocks_.reserve(blocks_.size() + 1);
  tlbs_.reserve(tlbs_.size() + vcpus);
  have_served_.reserve(this->vcpus() + vcpus);
  blocks_.push_back({std::move(tags.value()), std::move(entries.value())});
  const Block& block = blocks_.back();
  for (unsigned vcpu = 0; vcpu < vcpus; ++vcpu) {
    const std::size_t first = each * vcpu;
    tlbs_.emplace_back(*layout_, block.tags.data() + first,
                       block.entries.data() + first);
    tlbs_.back().served_ = requests_;
    have_served_.add(this->vcpus() - 1);
  }
  return std::nullopt;
}

}  // namespace mmu
