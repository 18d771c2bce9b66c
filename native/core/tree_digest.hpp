// Entries of table pages as words that mean the same wherever the pages lie.
#pragma once

#include <algorithm>
#include <vector>

#include "core/digest.hpp"
#include "core/mmu.hpp"

namespace mmu {

// What there is no order in.
inline void add_unordered(Digest& digest, std::vector<Fingerprint>& parts) {
  std::ranges::sort(parts);
  digest.add(parts.size());
  for (const Fingerprint& part : parts) {
    digest.add(part.low);
    digest.add(part.high);
  }
}

// An entry that is no link. Of an MMIO entry's generation only whether it is
// the current one.
inline void add_entry(Digest& digest, const Mmu& mmu, Spte spte) {
  if (!spte.is_mmio()) return digest.add(spte.raw);
  const std::uint64_t made = mmio_generation(spte);
  digest.add(spte.raw ^ make_mmio({0}, made).raw);
  digest.add(made == mmu.slots().mmio_generation());
}

// Which table a page is, as its owner keys it.
inline void add_key(Digest& digest, const Mmu& mmu, PageId page) {
  const PageHeader& header = mmu.pool.header(page);
  digest.add(header.gfn.value);
  digest.add(number_of(header.level) | header.root << 8);
}

// What is said of a page beside its entries.
inline void add_page(Digest& digest, const Mmu& mmu, PageId page) {
  digest.add(mmu.pool.header(page).nx_huge_page_disallowed);
}

}  // namespace mmu
