// What an emulated write to a table of the guest's does to a page that shadows
// it: which entries are stale, and when the page is not worth its keep.
//
// KVM: kvm_mmu_track_write(), detect_write_flooding(),
// detect_write_misaligned(), get_written_sptes() (v6.16).
#pragma once

#include "core/shadow/shadow_page.hpp"

namespace mmu {

struct TableWrite {
  unsigned offset = 0;  // in its page
  unsigned bytes = 8;
  // The guest's entry as it is now; 0 where the write has not an entry's size.
  std::uint64_t entry = 0;
};

// Entries of a shadow page, from `first` on.
struct WrittenEntries {
  unsigned first = 0;
  unsigned count = 0;
};

// Writes in a row, with no walk in between, that end a page above the last
// level. One at the last level may become unsync, and is not counted.
inline constexpr unsigned kFlood = 3;

// With CR4.PAE half an entry counts as all of it.
inline TableWrite widened(TableWrite write, bool has_pae) {
  if (has_pae && write.bytes == 4) {
    write.offset &= ~7u;
    write.bytes = 8;
  }
  return write;
}

inline unsigned entry_bytes(const ShadowPage& page) {
  return page.role.has(PageRole::kHas4ByteGpte) ? 4 : 8;
}

// It leaves an entry half done, or touches two. A guest that changes one byte
// at an entry's start sets a bit of it, and is let off.
inline bool is_torn(const ShadowPage& page, const TableWrite& write) {
  const unsigned size = entry_bytes(page);
  if (write.bytes == 1 && write.offset % size == 0) return false;
  const unsigned last = write.offset + write.bytes - 1;
  return write.bytes < 4 || write.offset / size != last / size;
}

// Counts the write.
inline bool floods(ShadowPage& page) {
  return page.level() > 1 && ++page.writes >= kFlood;
}

// None if another page has that part of a table whose entries are of 4 bytes. A
// directory's entry covers 4 MiB, and takes two of 2 MiB.
inline WrittenEntries entries_written(const ShadowPage& page,
                                      const TableWrite& write) {
  constexpr unsigned kPerPage = 512;
  const unsigned entry = write.offset / entry_bytes(page);
  if (entry_bytes(page) == 8) return {entry, 1};
  const unsigned each = page.level() == 2 ? 2 : 1;
  const unsigned first = entry * each;
  if (first / kPerPage != page.role.quadrant()) return {};
  return {first % kPerPage, each};
}

}  // namespace mmu
