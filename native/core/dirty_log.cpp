#include "core/dirty_log.hpp"

#include "core/flavour.hpp"
#include "core/memslot_family.hpp"
#include "core/pml_log.hpp"

namespace mmu {
namespace {

// Where every page counts as dirty from the start, nothing has to be protected
// in order to find out.
void log_one(Mmu& mmu, Memslot& slot, std::unique_ptr<DirtyBitmap> bitmap) {
  slot.dirty = std::move(bitmap);
  slot.flags |= MemslotRegion::kLogDirty;
  advance_generation(mmu, slot.as_id);
  if (slot.is_readonly() || mmu.log.is_set_at_first) return;
  mmu.ops->arm(slot);
  mmu.flush.range(slot.range);
}

void unlog_one(Mmu& mmu, Memslot& slot) {
  slot.dirty.reset();
  slot.flags &= ~MemslotRegion::kLogDirty;
  advance_generation(mmu, slot.as_id);
  if (!slot.is_readonly() && mmu.ops->disarm(slot)) {
    mmu.flush.range(slot.range);
  }
}

// A word of the slot's log, with what its twins have.
std::uint64_t dirty_word(const Memslot& slot, std::size_t word) {
  std::uint64_t mask = slot.dirty->words()[word];
  for (const Memslot* twin : slot.twins) mask |= twin->dirty->words()[word];
  return mask;
}

// Takes one slot's own log. KVM flushes it, however little there was.
template <class Taken>
void take_one(Mmu& mmu, Memslot& slot, Taken taken) {
  bool any = false;
  slot.dirty->take([&](std::size_t word, std::uint64_t mask) {
    any = true;
    taken(word, mask);
    const Gfn first{slot.range.start.value + word * 64};
    mmu.ops->rearm(slot, first, mask);
  });
  if (any) mmu.flush.range(slot.range);
}

// Clears one slot's own log, and flushes if there was something to clear.
void clear_one(Mmu& mmu, Memslot& slot, std::size_t first,
               std::span<const std::uint64_t> masks) {
  bool any = false;
  for (std::size_t i = 0; i < masks.size(); ++i) {
    const std::uint64_t cleared = slot.dirty->clear(first + i, masks[i]);
    if (cleared == 0) continue;
    any = true;
    mmu.ops->rearm(slot, {slot.range.start.value + (first + i) * 64}, cleared);
  }
  if (any) mmu.flush.range(slot.range);
}

}  // namespace

void advance_generation(Mmu& mmu, std::uint32_t as_id) {
  if (mmu.slot_sets[as_id].advance_generation()) mmu.ops->zap_all_fast();
}

std::unique_ptr<DirtyBitmap> make_bitmap(const Mmu& mmu, std::uint64_t pages) {
  if (mmu.rings != nullptr) return nullptr;
  auto bitmap = std::make_unique<DirtyBitmap>(pages);
  if (mmu.log.is_set_at_first) bitmap->set_all(pages);
  return bitmap;
}

Bitmaps make_bitmaps(const Mmu& mmu, const Memslot& slot) {
  Bitmaps bitmaps;
  for (std::size_t i = 0; i <= slot.twins.size(); ++i) {
    bitmaps.push_back(make_bitmap(mmu, slot.range.size()));
  }
  return bitmaps;
}

void start_logging(Mmu& mmu, Memslot& slot, Bitmaps bitmaps) {
  std::size_t i = 0;
  for_each_member(
      slot, [&](Memslot& one) { log_one(mmu, one, std::move(bitmaps[i++])); });
}

void stop_logging(Mmu& mmu, Memslot& slot) {
  for_each_member(slot, [&](Memslot& one) { unlog_one(mmu, one); });
  forget_pml_unless_logged(mmu);
}

std::uint64_t take_dirty_log(
    Mmu& mmu, Memslot& slot,
    const std::function<void(std::size_t, std::uint64_t)>& taken) {
  drain_pml(mmu);
  std::uint64_t pages = 0;
  const auto count = [&](std::size_t word, std::uint64_t mask) {
    pages += static_cast<unsigned>(std::popcount(mask));
    if (taken) taken(word, mask);
  };
  if (slot.twins.empty()) {
    take_one(mmu, slot, count);
    return pages;
  }
  // Nothing is allocated from here on: what is taken must not be lost.
  for (std::size_t i = 0; i < slot.dirty->words().size(); ++i) {
    const std::uint64_t mask = dirty_word(slot, i);
    if (mask != 0) count(i, mask);
  }
  for_each_member(slot, [&](Memslot& one) {
    take_one(mmu, one, [](std::size_t, std::uint64_t) {});
  });
  return pages;
}

void clear_dirty_words(Mmu& mmu, Memslot& slot, std::size_t first,
                       std::span<const std::uint64_t> masks) {
  drain_pml(mmu);
  for_each_member(slot,
                  [&](Memslot& one) { clear_one(mmu, one, first, masks); });
}

std::vector<std::uint64_t> dirty_words(const Memslot& slot) {
  std::vector<std::uint64_t> words = slot.dirty->words();
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = dirty_word(slot, i);
  return words;
}

void count_round(DirtyRounds& rounds, std::uint64_t pages) noexcept {
  ++rounds.rounds;
  rounds.reaping += pages != 0;
  rounds.pages += pages;
}

}  // namespace mmu
