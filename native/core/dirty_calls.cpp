#include "core/dirty_calls.hpp"

#include <algorithm>

#include "core/pml_log.hpp"

namespace mmu {
namespace {

constexpr std::uint64_t kWordPages = 64;

constexpr std::uint64_t words_for(std::uint64_t pages) {
  return (pages + kWordPages - 1) / kWordPages;
}

// What both ioctls look at first.
std::optional<Error> check_slot(const Mmu& mmu, std::uint32_t slot) {
  if (mmu.rings != nullptr) return Error{ErrorCode::kDirtyRing};
  const SlotRules& rules = mmu.slot_rules;
  if (slot_as(slot) < rules.address_spaces &&
      slot_id(slot) < rules.kernel.user_slots) {
    return std::nullopt;
  }
  return Error{ErrorCode::kDirtyLog,
               {{{"id", slot_id(slot)}, {"as", slot_as(slot)}}},
               "there is no memslot " + std::to_string(slot_id(slot)) +
                   " in an address space " + std::to_string(slot_as(slot))};
}

Result<Memslot*> logged_slot(Mmu& mmu, std::uint32_t slot) {
  Memslot* found = mmu.slot_sets[slot_as(slot)].by_id(slot_id(slot));
  if (found != nullptr && found->dirty) return found;
  return Error{ErrorCode::kNoDirtyLog,
               {{{"id", slot_id(slot)}, {"as", slot_as(slot)}}}};
}

Error bad_range(const DirtyLogClear& clear, std::string detail) {
  return {ErrorCode::kDirtyLog,
          {{{"first", clear.first_page}, {"pages", clear.pages}}},
          std::move(detail)};
}

// Ends with the slot, or with a word.
bool is_range_of(const DirtyLogClear& clear, std::uint64_t pages) {
  if (clear.first_page > pages) return false;
  const std::uint64_t left = pages - clear.first_page;
  return clear.pages == left ||
         (clear.pages < left && clear.pages % kWordPages == 0);
}

}  // namespace

// In auto mode the bits are taken and the flush is done before anybody looks
// whether the caller gets them.
Result<std::vector<std::uint64_t>> read_dirty_log(Mmu& mmu, std::uint32_t slot,
                                                  const DirtyLogRead& read) {
  if (auto error = check_slot(mmu, slot)) return *std::move(error);
  const Result<Memslot*> logged = logged_slot(mmu, slot);
  if (!logged) return logged.error();
  Memslot& found = *logged.value();
  drain_pml(mmu);
  std::vector<std::uint64_t> bitmap = dirty_words(found);
  if (!read.peek && !mmu.log.is_manual) {
    count_round(mmu.dirty_rounds, take_dirty_log(mmu, found));
  }
  if (read.copy_fails) {
    return Error{ErrorCode::kCopy, {}, "the dirty log's buffer is not mapped"};
  }
  if (!read.peek && mmu.log.is_manual) count_round(mmu.dirty_rounds, 0);
  return bitmap;
}

std::optional<Error> clear_dirty_log(Mmu& mmu, const DirtyLogClear& clear,
                                     std::span<const std::uint64_t> bitmap) {
  if (auto error = check_slot(mmu, clear.slot)) return error;
  if (clear.first_page % kWordPages != 0) {
    return bad_range(clear,
                     "the first page to clear must be a multiple of 64,"
                     " got " +
                         std::to_string(clear.first_page));
  }
  const Result<Memslot*> logged = logged_slot(mmu, clear.slot);
  if (!logged) return logged.error();
  Memslot& found = *logged.value();
  const std::uint64_t size = found.range.size();
  if (!is_range_of(clear, size)) {
    return bad_range(clear, "pages to clear must lie in the slot's " +
                                std::to_string(size) +
                                " pages and be a multiple of 64 unless they "
                                "reach its end");
  }
  const std::uint64_t words = words_for(clear.pages);
  if (bitmap.size() < words) {
    return Error{ErrorCode::kCopy,
                 {{{"words", bitmap.size()}, {"expected", words}}},
                 "the bitmap's buffer is not mapped, or only in part"};
  }
  clear_dirty_words(mmu, found, clear.first_page / kWordPages,
                    bitmap.first(words));
  return std::nullopt;
}

void clear_dirty_windows(Mmu& mmu, Memslot& slot, GfnRange range) {
  const std::uint64_t start = slot.range.start.value;
  const std::uint64_t first =
      std::max(range.start, slot.range.start).value - start;
  const std::uint64_t end = std::min(range.end, slot.range.end).value - start;
  const std::size_t word = first / kWordPages;
  const std::vector<std::uint64_t> all(words_for(end) - word,
                                       ~std::uint64_t{0});
  clear_dirty_words(mmu, slot, word, all);
}

}  // namespace mmu
