#include "core/table_page.hpp"

#include <algorithm>

namespace mmu {

bool store(CompactPage& page, unsigned index, std::uint64_t word) noexcept {
  const unsigned mask = match_key(page, static_cast<std::uint16_t>(index));
  if (mask == 0) {
    return word == 0 || append(page, index, word);
  }
  const auto slot = static_cast<unsigned>(std::countr_zero(mask));
  if (word != 0) {
    page.entries[slot] = word;
    return true;
  }
  const unsigned last = --page.header.count;
  page.keys[slot] = page.keys[last];
  page.entries[slot] = page.entries[last];
  page.keys[last] = kNoKey;
  page.entries[last] = 0;
  return true;
}

namespace {

constexpr unsigned kLine = kGranule / sizeof(std::uint64_t);

bool is_empty_line(const std::uint64_t* entries) noexcept {
  std::uint64_t any = 0;
  for (unsigned i = 0; i < kLine; ++i) any |= entries[i];
  return any == 0;
}

}  // namespace

// Most entries of most tables are empty: passed over a cache line at a time.
unsigned next_used(const FullPage& page, unsigned from, unsigned end) noexcept {
  while (from < end && page.entries[from] == 0) {
    ++from;
    if (from % kLine != 0) continue;
    while (from + kLine <= end && is_empty_line(&page.entries[from])) {
      from += kLine;
    }
  }
  return from;
}

unsigned next_used(const CompactPage& page, unsigned from,
                   unsigned end) noexcept {
  unsigned best = end;
  for (unsigned slot = 0; slot < page.header.count; ++slot) {
    const unsigned key = page.keys[slot];
    if (key >= from && key < best) best = key;
  }
  return best;
}

void clear(FullPage& page) noexcept { page.entries.fill(0); }

void clear(CompactPage& page) noexcept {
  std::fill_n(page.entries.begin(), page.header.count, 0);
  std::fill_n(page.keys.begin(), page.header.count, kNoKey);
  page.header.count = 0;
}

// Each may be on a line of its own: asked for together, they come together.
void copy_entries(const CompactPage& from, FullPage& to) noexcept {
  for (unsigned slot = 0; slot < from.header.count; ++slot) {
    __builtin_prefetch(&to.entries[from.keys[slot]], 1);
  }
  for (unsigned slot = 0; slot < from.header.count; ++slot) {
    store(to, from.keys[slot], from.entries[slot]);
  }
}

}  // namespace mmu
