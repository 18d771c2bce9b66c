// The memory format of a table page: full or compact.
//
// A full page is a 64-byte header and 512 entries. A compact page is a header
// line with 16 two-byte keys, and 16 entries: 192 bytes instead of 4,160. Only
// level 1 has compact pages. A leaf table starts compact and becomes full when
// a 17th entry arrives, so a guest that touches one page in every 2 MiB costs
// what it touches, and a dense one pays one copy per table.
//
// Entries are kept in *stored form*, raw XOR empty: an empty entry is stored
// as zero, so memory fresh from the kernel is a valid empty table and need not
// be filled. Only bit 63 differs between the two forms. The choice of format
// is docs/decisions/0002-node-format.md.
//
// Law: in a compact page, keys at and above `count` are kNoKey, the entries
// beside them are empty, and no key occurs twice. A full page keeps no record
// of which entries it uses: the record would be one more cache line to write
// for every first touch.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "core/role.hpp"
#include "core/spte.hpp"

namespace mmu {

// Position of a page in the arena, in units of kGranule. 0 is the page that is
// empty for ever, so a link that is not there leads to a walk that finds
// nothing.
using PageId = std::uint32_t;
inline constexpr PageId kNoPage = 0;
inline constexpr unsigned kGranuleShift = 6;
inline constexpr std::size_t kGranule = std::size_t{1} << kGranuleShift;

inline constexpr unsigned kCompactSlots = 16;
inline constexpr std::uint16_t kNoKey = 0xffff;

// A page and its format, as a link names them.
struct TableRef {
  PageId id = kNoPage;
  Level level = Level::kNone;
  bool compact = false;
};

struct PageHeader {
  AliasedGfn gfn;           // first frame that the page covers
  PageId parent = kNoPage;  // the page that links here; next, while free
  PageRole role{};
  // Of the making of this table: another one on the same page, or in the same
  // place of the tree, has another.
  std::uint32_t serial = 0;
  std::uint16_t parent_index = 0;
  Level level = Level::kNone;
  std::uint8_t count = 0;  // compact: keys in use
  std::uint8_t root = 0;   // of a shadow page, or the next: whose it is
  // Made for a fetch, in place of a huge page.
  bool nx_huge_page_disallowed = false;
};
static_assert(sizeof(PageHeader) <= 32);

struct FullPage {
  PageHeader header;
  alignas(kGranule) std::array<std::uint64_t, kEntries> entries;
};
static_assert(sizeof(FullPage) == 65 * kGranule);
static_assert(offsetof(FullPage, entries) == kGranule);

struct CompactPage {
  PageHeader header;
  alignas(32) std::array<std::uint16_t, kCompactSlots> keys;
  std::array<std::uint64_t, kCompactSlots> entries;
};
static_assert(sizeof(CompactPage) == 3 * kGranule);
static_assert(offsetof(CompactPage, entries) == kGranule);

constexpr std::uint64_t to_stored(Spte spte) { return spte.raw ^ ept::kEmpty; }
constexpr Spte from_stored(std::uint64_t word) { return {word ^ ept::kEmpty}; }
static_assert(to_stored(Spte{}) == 0);

// A set bit for every slot of `page` that holds `key`; at most one.
inline unsigned match_key(const CompactPage& page, std::uint16_t key) {
#if defined(__SSE2__)
  const auto* keys = reinterpret_cast<const __m128i*>(page.keys.data());
  const __m128i wanted = _mm_set1_epi16(static_cast<short>(key));
  const __m128i low = _mm_cmpeq_epi16(_mm_loadu_si128(keys), wanted);
  const __m128i high = _mm_cmpeq_epi16(_mm_loadu_si128(keys + 1), wanted);
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(low, high)));
#else
  unsigned mask = 0;
  for (unsigned slot = 0; slot < kCompactSlots; ++slot) {
    mask |= unsigned{page.keys[slot] == key} << slot;
  }
  return mask;
#endif
}

// Where the stored form of entry `index` lives, or null if a compact page has
// no such entry.
template <class Page>
auto find_entry(Page& page, unsigned index) -> decltype(page.entries.data()) {
  const unsigned mask = match_key(page, static_cast<std::uint16_t>(index));
  return mask == 0 ? nullptr : &page.entries[std::countr_zero(mask)];
}

inline std::uint64_t stored_at(const CompactPage& page, unsigned index) {
  const std::uint64_t* entry = find_entry(page, index);
  return entry == nullptr ? 0 : *entry;
}

inline void store(FullPage& page, unsigned index, std::uint64_t word) {
  page.entries[index] = word;
}

// Writes a stored word into a compact page; false if it is full. Emptying an
// entry frees its slot: the last one moves into the gap.
bool store(CompactPage& page, unsigned index, std::uint64_t word) noexcept;

// The same of an entry that the page does not have.
inline bool append(CompactPage& page, unsigned index, std::uint64_t word) {
  if (page.header.count == kCompactSlots) return false;
  const unsigned slot = page.header.count++;
  page.keys[slot] = static_cast<std::uint16_t>(index);
  page.entries[slot] = word;
  return true;
}

// The smallest index in [from, end) with a non-empty entry; `end` if there is
// none.
unsigned next_used(const FullPage& page, unsigned from, unsigned end) noexcept;
unsigned next_used(const CompactPage& page, unsigned from,
                   unsigned end) noexcept;

// Empties every entry.
void clear(FullPage& page) noexcept;
void clear(CompactPage& page) noexcept;

// Copies the entries of a compact page into a full one that is empty.
void copy_entries(const CompactPage& from, FullPage& to) noexcept;

}  // namespace mmu
