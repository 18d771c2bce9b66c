// Links that a vCPU remembers: Intel's paging-structure caches, of the tables
// of an EPT.
//
// A walk that found its way keeps the links that it read; the next walk that
// misses the TLB begins behind the lowest link that is kept of its address. A
// walk that ends in a fault drops what is kept of its address. Hardware would
// follow a link to whatever its page has become since; the model notes that it
// was kept too long, drops it, and walks by the tables.
//
// Source: Intel SDM vol. 3, 28.4.2 and 28.4.3, "guest-physical mappings".
#pragma once

#include "core/access.hpp"

namespace mmu {

// Tables that a walk for this access need not read. Only where links are kept.
unsigned tables_skipped(Mmu& mmu, const Access& access);
// The walk ended on a leaf of that level; it began as many tables below the
// root.
void keep_links(Mmu& mmu, const Access& access, Level leaf, unsigned skipped);
void drop_links(Mmu& mmu, const Access& access);

// The serial number of the table that the link of an entry leads to.
std::uint32_t table_of(const TlbEntry& entry);
// Whether the link that an entry has kept is still there.
bool is_link_there(const Mmu& mmu, const TlbEntry& entry);

}  // namespace mmu
