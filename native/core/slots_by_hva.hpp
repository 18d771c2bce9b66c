// Which slots stand on a page of the host, without a look at all of them.
//
// Slots do not overlap in the guest, but may in the host: sorted by where they
// begin there, each also knows how far it and those before it reach. Who asks
// gets them in frame order, like everybody else who goes through slots.
//
// Law: the slots found are those whose host pages overlap the range
// (test/native/slots_by_hva_test.cpp).
//
// KVM: kvm_memslots.hva_tree, kvm_for_each_memslot_in_hva_range() (v6.16).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/host_memory.hpp"

namespace mmu {

struct Memslot;

class SlotsByHva {
 public:
  // From here on as many insert() as make `slots` cannot fail, nor can on().
  void reserve(std::size_t slots);
  void insert(Memslot& slot);
  void remove(const Memslot& slot) noexcept;

  // Good until the next of any of these calls.
  std::span<Memslot* const> on(HostRange pages) const;

 private:
  struct Seat {
    HostRange pages;
    HostPage reach;  // the last end up to here
    Memslot* slot;
  };

  void reach_from(std::size_t first) noexcept;

  std::vector<Seat> seats_;
  mutable std::vector<Memslot*> found_;
};

}  // namespace mmu
