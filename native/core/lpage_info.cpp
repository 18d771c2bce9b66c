#include "core/lpage_info.hpp"

#include "core/huge_page.hpp"

namespace mmu {
namespace {

constexpr std::uint32_t kMixed = std::uint32_t{1} << 31;

GfnRange page_at(Gfn gfn, Level level) {
  const Gfn first = round_down(gfn, level);
  return {first, {first.value + pages_per(level)}};
}

// Where only parts of it are private. A page that is not in the slot whole has
// no flag, and is refused already.
bool is_mixed(const Mmu& mmu, const Memslot& slot, GfnRange page) {
  const bool counts =
      mmu.traits.checks_attributes && mmu.has_private_memory() &&
      slot.range.start <= page.start && page.end <= slot.range.end;
  return counts && mmu.private_frames.meets(page) &&
         !mmu.private_frames.covers(page);
}

}  // namespace

std::vector<std::uint32_t> list_lpage_info(const Mmu& mmu, const Memslot& slot,
                                           Level level) {
  std::vector<std::uint32_t> words;
  Gfn gfn = slot.range.start;
  while (gfn < slot.range.end) {
    const GfnRange page = page_at(gfn, level);
    const std::uint32_t shape = allows_huge(slot, gfn, level) ? 0 : 1;
    const auto watched = static_cast<std::uint32_t>(slot.tracked.sum(page));
    words.push_back((shape + watched) |
                    (is_mixed(mmu, slot, page) ? kMixed : 0));
    gfn = page.end;
  }
  return words;
}

}  // namespace mmu
