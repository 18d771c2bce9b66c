#include "core/guest/guest_tables.hpp"

#include "core/dirty_mark.hpp"
#include "core/host_ops.hpp"

namespace mmu {

bool GuestTables::host_lets_read(const Memslot& slot, Gfn gfn) {
  return allows_read(reach_host(mmu_, slot, gfn));
}

bool GuestTables::host_lets_write(const Memslot& slot, Gfn gfn) {
  return reach_host(mmu_, slot, gfn) == HostState::kReadWrite;
}

void GuestTables::mark_dirty(Memslot& slot, Gfn gfn) {
  mark_page_dirty(mmu_, slot, gfn, vcpu_);
}

}  // namespace mmu
