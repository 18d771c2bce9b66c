// What a walk may ask of guest memory: an entry, the exchange of one, and that
// its page be marked dirty. Through memslots, as the process could.
//
// KVM: the middle of FNAME(walk_addr_generic), and
// FNAME(update_accessed_dirty_bits) (v6.16).
#pragma once

#include <cstring>
#include <optional>

#include "core/guest/guest_memory.hpp"
#include "core/mmu.hpp"

namespace mmu {

enum class Exchange : std::uint8_t {
  kDone,
  kChanged,       // somebody else has written the entry since it was read
  kReadonlySlot,  // nothing is written, and nobody is told
  kNoAccess,
};

// Whether what is written counts as dirty: KVM's own writes do, hardware's are
// seen where they are mapped.
enum class Marks : std::uint8_t { kLogged, kUnlogged };

class GuestTables {
 public:
  GuestTables(Mmu& mmu, const GuestMemory& memory, std::uint16_t vcpu,
              Marks marks = Marks::kLogged)
      : mmu_(mmu), memory_(memory), vcpu_(vcpu), marks_(marks) {}

  // None where no slot that userspace may see holds the address, or the process
  // may not read there. `gpa` is a multiple of the word's size, without alias
  // bits.
  template <class Word>
  std::optional<Word> read(std::uint64_t gpa) {
    const Gfn gfn{gpa >> kPageShift};
    const Memslot* slot = slot_of(gfn);
    if (slot == nullptr || !may_read(*slot, gfn)) return std::nullopt;
    const std::byte* page = memory_.find(page_of(slot->hva_of(gfn)));
    Word word = 0;
    if (page != nullptr) {
      std::memcpy(&word, page + gpa % kPageSize, sizeof(word));
    }
    return word;
  }

  // kDone marks dirty the frame that the table was named by. Beneath a second
  // level that is the nested guest's name, which KVM takes for one of its own.
  template <class Word>
  Exchange exchange(std::uint64_t gpa, Word old, Word next, Gfn named) {
    const Gfn gfn{gpa >> kPageShift};
    Memslot* slot = slot_of(gfn);
    if (slot == nullptr) return Exchange::kNoAccess;
    if (slot->is_readonly()) return Exchange::kReadonlySlot;
    if (!may_write(*slot, gfn)) return Exchange::kNoAccess;
    std::byte* page = memory_.find(page_of(slot->hva_of(gfn)));
    if (page == nullptr) return Exchange::kChanged;
    Word now = 0;
    std::memcpy(&now, page + gpa % kPageSize, sizeof(now));
    if (now != old) return Exchange::kChanged;
    std::memcpy(page + gpa % kPageSize, &next, sizeof(next));
    if (marks_ == Marks::kLogged) {
      Memslot* const marked = named == gfn ? slot : slot_of(named);
      if (marked != nullptr) mark_dirty(*marked, named);
    }
    return Exchange::kDone;
  }

 private:
  Memslot* slot_of(Gfn gfn) const {
    Memslot* slot = mmu_.slots().find(gfn);
    return slot != nullptr && !slot->is_internal() ? slot : nullptr;
  }
  bool may_read(const Memslot& slot, Gfn gfn) {
    return !slot.has_host_mappings || host_lets_read(slot, gfn);
  }
  bool may_write(const Memslot& slot, Gfn gfn) {
    return !slot.has_host_mappings || host_lets_write(slot, gfn);
  }
  bool host_lets_read(const Memslot& slot, Gfn gfn);
  bool host_lets_write(const Memslot& slot, Gfn gfn);
  void mark_dirty(Memslot& slot, Gfn gfn);

  Mmu& mmu_;
  const GuestMemory& memory_;
  std::uint16_t vcpu_;
  Marks marks_;
};

}  // namespace mmu
