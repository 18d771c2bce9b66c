#include "core/page_pool.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

namespace mmu {
namespace {

constexpr std::uint64_t kHugePage = LazyMemory::kHugePage;
constexpr std::uint64_t kLargestChunk = std::uint64_t{32} << 20;
// Of an arena that is no larger than a huge page: whoever asks for one makes
// many VMs, each for a few events, and clearing 2 MiB would cost more than
// they.
constexpr std::uint64_t kSmallChunk = std::uint64_t{64} << 10;

// Linux 5.14; older headers lack the name. Where the kernel refuses it, pages
// are committed on first touch instead: slower, not wrong.
constexpr int kPopulateWrite = 23;

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

Error no_room(std::uint64_t limit) {
  return {ErrorCode::kOutOfMemory,
          {{{"bytes", 0}, {"limit", limit}}},
          "no room for an arena of " + std::to_string(limit) + " bytes"};
}

}  // namespace

Result<PagePool> PagePool::create(std::uint64_t limit) {
  Result<LazyMemory> memory =
      limit > kHugePage ? LazyMemory::create_huge(round_up(limit, kHugePage))
                        : LazyMemory::create(limit, 1);
  if (!memory) return no_room(limit);
  PagePool pool(std::move(memory.value()));
  if (!pool.ensure(1, 0)) return no_room(limit);
  // Page 0: the table that is empty for ever. Never counted, never given back.
  pool.take_full();
  pool.full_.live = 0;
  return pool;
}

PagePool::PagePool(LazyMemory memory) noexcept
    : memory_(std::move(memory)),
      base_(static_cast<std::uint8_t*>(memory_.start())),
      limit_(memory_.bytes() / kGranule),
      committed_(memory_.is_backed() ? limit_ : 0) {}

PagePool& PagePool::operator=(PagePool&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(base_, other.base_);
  std::swap(limit_, other.limit_);
  std::swap(committed_, other.committed_);
  std::swap(used_, other.used_);
  std::swap(full_, other.full_);
  std::swap(compact_, other.compact_);
  return *this;
}

// A page that will be taken soon: the first line says which is free after it,
// the rest of a compact one is written then. Only a hint: it may be out.
void PagePool::ask_for(const Shelf& shelf, PageId id) const noexcept {
  const std::uint8_t* const at = address(id);
  __builtin_prefetch(at, 1);
  if (shelf.granules != kCompactGranules) return;
  __builtin_prefetch(at + kGranule, 1);
  __builtin_prefetch(at + 2 * kGranule, 1);
}

PageId PagePool::take(Shelf& shelf) noexcept {
  ++shelf.live;
  if (shelf.free != kNoPage) {
    const PageId id = shelf.free;
    shelf.free = header(id).parent;
    ask_for(shelf, static_cast<PageId>(header(id).gfn.value));
    --shelf.spare;
    return id;
  }
  const auto id = static_cast<PageId>(used_);
  used_ += shelf.granules;
  if (shelf.granules == kCompactGranules) compact(id).keys.fill(kNoKey);
  return id;
}

void PagePool::give(Shelf& shelf, PageId id) noexcept {
  --shelf.live;
  ++shelf.spare;
  header(id).parent = shelf.free;
  header(id).gfn = {std::exchange(shelf.recent[shelf.turn], id)};
  shelf.turn = (shelf.turn + 1) % kAhead;
  shelf.free = id;
}

bool PagePool::grow(std::uint64_t granules) noexcept {
  const std::uint64_t have = committed_ * kGranule;
  const std::uint64_t unit =
      limit_ * kGranule > kHugePage ? kHugePage : kSmallChunk;
  const std::uint64_t least =
      round_up((used_ + granules) * kGranule - have, unit);
  const std::uint64_t wanted =
      std::max(least, std::min(round_up(have / 8, unit), kLargestChunk));
  const std::uint64_t room = limit_ * kGranule - have;
  if (least > room) return false;
  const std::uint64_t chunk = std::min(wanted, room);
  if (madvise(base_ + have, chunk, kPopulateWrite) != 0 && errno == ENOMEM) {
    return false;
  }
  committed_ += chunk / kGranule;
  return true;
}

}  // namespace mmu
