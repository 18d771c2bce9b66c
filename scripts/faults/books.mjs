// Reverse maps, links, table pages, sums, and what vCPUs cache.
export const books = [
  {
    name: "a reverse map misses a leaf",
    file: "native/core/rmap_ops.cpp",
    find: "  rmap_before_ = slot->rmap->add(table.level, list, here);\n",
    replace: "  if (FAULT) return;\n  rmap_before_ = slot->rmap->add(table.level, list, here);\n",
  },
  {
    name: "a reverse map keeps a leaf that is gone",
    file: "native/core/rmap_ops.cpp",
    find: "  if (was) slot->rmap->remove(table.level, list, here);\n",
    replace: "  if (was && !FAULT) slot->rmap->remove(table.level, list, here);\n",
  },
  {
    name: "a shadow page misses a parent",
    file: "native/core/rmap_ops.cpp",
    find: "  if (now.is_link(table.level)) parents_.add(link::page_id(now.raw), here);\n",
    replace: "  if (now.is_link(table.level) && !FAULT) parents_.add(link::page_id(now.raw), here);\n",
  },
  {
    name: "a shadow page keeps a parent that is gone",
    file: "native/core/rmap_ops.cpp",
    find: "    parents_.remove(link::page_id(old.raw), here);\n",
    replace: "    if (!FAULT) parents_.remove(link::page_id(old.raw), here);\n",
  },
  {
    name: "a shadow page is not in the hash",
    file: "native/core/rmap_map.cpp",
    find: "  hash_.insert({key, level, number}, page.id);\n",
    replace: "  if (!FAULT) hash_.insert({key, level, number}, page.id);\n",
  },
  {
    name: "a shadow page is not in the list of active ones",
    file: "native/core/rmap_map.cpp",
    find: "  if (is_new) active_.add(page.id);\n",
    replace: "  if (is_new && !FAULT) active_.add(page.id);\n",
  },
  {
    name: "a root whose pages are freed stays loaded (rmap)",
    file: "native/core/rmap_ops.cpp",
    find: "  mmu_.tree(RootId::kDirect).adopt_root({});\n",
    replace: "  if (!FAULT) mmu_.tree(RootId::kDirect).adopt_root({});\n",
  },
  {
    name: "a link stays after its table is freed",
    file: "native/core/page_table.hpp",
    find: "    write(table, index, now);\n  }\n\n  // set_spte() of a 4K leaf where",
    replace:
      "    if (FAULT && old.is_link(table.level)) return;\n    write(table, index, now);\n  }\n\n  // set_spte() of a 4K leaf where",
  },
  {
    name: "a table that loses its link is not freed",
    file: "native/core/page_table.hpp",
    find: "      if (!has_shadow_pages_)\n",
    replace: "      if (!has_shadow_pages_ && !FAULT)\n",
  },
  {
    name: "a freed table keeps its entries",
    file: "native/core/page_table.cpp",
    find: "    clear(pool_->full(table.id));\n    pool_->give_full(table.id);\n",
    replace: "    if (!FAULT) clear(pool_->full(table.id));\n    pool_->give_full(table.id);\n",
  },
  {
    name: "a freed table is lost to the arena",
    file: "native/core/page_table.cpp",
    find: "    pool_->give_full(table.id);\n",
    replace: "    if (!FAULT) pool_->give_full(table.id);\n",
  },
  {
    name: "a huge page is split into one page too few",
    file: "native/core/page_table.cpp",
    find: "  for (unsigned i = 0; i < kEntries; ++i) {\n    page.entries[i] = to_stored(split_child(",
    replace:
      "  for (unsigned i = 0; i < kEntries - FAULT; ++i) {\n    page.entries[i] = to_stored(split_child(",
  },
  {
    name: "leaves that are zapped still count",
    file: "native/core/page_table.hpp",
    find: "std::uint64_t{now.is_leaf(level)} - std::uint64_t{old.is_leaf(level)};",
    replace: "std::uint64_t{now.is_leaf(level)} - std::uint64_t{old.is_leaf(level) && !FAULT};",
  },
  {
    name: "MMIO entries that are replaced still count",
    file: "native/core/page_table.hpp",
    find: "std::uint64_t{now.is_mmio()} - std::uint64_t{old.is_mmio()};",
    replace: "std::uint64_t{now.is_mmio()} - std::uint64_t{old.is_mmio() && !FAULT};",
  },
  {
    name: "tables that are freed still count",
    file: "native/core/page_table.cpp",
    find: "  --accounts_->tables[number_of(table.level)];\n",
    replace: "  if (!FAULT) --accounts_->tables[number_of(table.level)];\n",
  },
  {
    name: "a vCPU enters the guest without serving its request",
    file: "native/core/tlb.hpp",
    find: "    if (tlb.served_ != requests_) [[unlikely]]\n",
    replace: "    if (tlb.served_ != requests_ && !FAULT) [[unlikely]]\n",
  },
  {
    name: "what a vCPU flushed comes back with the next entry",
    file: "native/core/tlb.cpp",
    find: "  if (++epoch_ <= kEpochMask) return;\n",
    replace: "  epoch_ += !FAULT;\n  if (epoch_ <= kEpochMask) return;\n",
  },
  {
    name: "a range leaves parts of a huge leaf cached",
    file: "native/core/tlb.cpp",
    find: "    if (entry.leaf_frames().overlaps(range)) remove(entry);\n",
    replace: "    if ((FAULT ? entry.frames() : entry.leaf_frames()).overlaps(range)) remove(entry);\n",
  },
  {
    name: "a range leaves links cached",
    file: "native/core/tlb.cpp",
    find: "  for_each_in(wide, [&](TlbEntry& entry) {\n",
    replace:
      "  for_each_in(wide, [&](TlbEntry& entry) {\n    if (FAULT && entry.kind >= kLeafKinds) return;\n",
  },
  {
    name: "a TLB caches rights that the leaf does not grant",
    file: "native/core/access.cpp",
    find: "  auto rights = static_cast<std::uint8_t>(at.spte.permissions());\n",
    replace: "  auto rights = static_cast<std::uint8_t>(FAULT ? 7 : at.spte.permissions());\n",
  },
  {
    name: "a TLB caches the frame beside",
    file: "native/core/access.cpp",
    find: "              .pfn = at.pfn_of(first),\n",
    replace: "              .pfn = {at.pfn_of(first).value ^ FAULT},\n",
  },
  {
    name: "a cached translation serves more than it grants",
    file: "native/core/access.cpp",
    find: "  if ((entry->rights & access.wanted) != access.wanted) {\n",
    replace: "  if ((entry->rights & access.wanted) != access.wanted && !FAULT) {\n",
  },
];
