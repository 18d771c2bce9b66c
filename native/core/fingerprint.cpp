#include "core/fingerprint.hpp"

#include <algorithm>
#include <cstring>

#include "core/digest.hpp"
#include "core/flavour.hpp"
#include "core/guest/guest.hpp"
#include "core/rules/rule_set.hpp"
#include "core/structure_cache.hpp"
#include "core/tree_digest.hpp"

namespace mmu {
namespace {

void add_range(Digest& digest, GfnRange range) {
  digest.add(range.start.value);
  digest.add(range.end.value);
}

void add_slot(Digest& digest, const Memslot& slot) {
  digest.add(slot.id);
  digest.add(slot.flags);
  add_range(digest, slot.range);
  digest.add(slot.hva.value);
  digest.add(number_of(slot.backing));
  digest.add(static_cast<std::uint64_t>(slot.memfd));
  digest.add(slot.memfd_offset);
  digest.add(slot.dirty != nullptr);
  if (slot.dirty) {
    for (const std::uint64_t word : slot.dirty->words()) digest.add(word);
  }
  slot.tracked.each_word([&](std::uint64_t word) { digest.add(word); });
}

void add_slots(Digest& digest, const Mmu& mmu) {
  for (const MemslotSet& set : mmu.slot_sets) {
    digest.add(set.slots().size());
    for (const auto& slot : set.slots()) add_slot(digest, *slot);
  }
  digest.add(mmu.slot_zap_all);
  digest.add(mmu.log.is_manual);
  digest.add(mmu.log.is_set_at_first);
  digest.add(mmu.memfds.size());
  mmu.private_frames.for_each_in(
      kAllGfns, [&](GfnRange frames) { add_range(digest, frames); });
}

void add_host(Digest& digest, const Mmu& mmu) {
  const auto add = [&](std::uint64_t word) { digest.add(word); };
  digest.add(mmu.invalidations.in_progress());
  digest.add(mmu.invalidations.active_notifiers);
  if (mmu.invalidations.is_open()) add_range(digest, mmu.invalidations.range());
  mmu.host.each_word(add);
  mmu.external.each_word(add);
  mmu.flush.provider().each_word(add);
  if (mmu.mtrrs) mmu.mtrrs->each_word(add);
}

void add_guest_memory(Digest& digest, const Mmu& mmu) {
  if (mmu.guest == nullptr) return;
  digest.add(mmu.guest->is_addressed_by_gva);
  mmu.guest->memory.for_each_page([&](HostPage page, const std::byte* bytes) {
    digest.add(page.value);
    for (std::uint64_t at = 0; at < kPageSize; at += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + at, sizeof(word));
      digest.add(word);
    }
  });
}

void add_registers(Digest& digest, const GuestRegisters& registers) {
  for (const std::uint64_t word :
       {registers.cr0, registers.cr3, registers.cr4, registers.efer,
        registers.rflags, std::uint64_t{registers.pkru},
        std::uint64_t{registers.code64}}) {
    digest.add(word);
  }
}

void add_guest_vcpu(Digest& digest, const GuestVcpu& vcpu) {
  digest.add(vcpu.cpuid.maxphyaddr ? *vcpu.cpuid.maxphyaddr : 256);
  digest.add(vcpu.cpuid.is_amd | vcpu.cpuid.features << 1);
  add_registers(digest, vcpu.registers);
  digest.add(static_cast<std::uint64_t>(vcpu.nested.kind));
  digest.add(vcpu.nested.ept.eptp);
  digest.add(vcpu.nested.ept.has_2m | vcpu.nested.ept.has_1g << 1 |
             vcpu.nested.ept.has_execute_only << 2);
  add_registers(digest, vcpu.nested.npt);
  for (const std::uint64_t entry : vcpu.rules.pdptrs) digest.add(entry);
  for (const std::uint64_t entry : vcpu.second.pdptrs) digest.add(entry);
}

// The page behind an entry. Which table a link led to is of interest only where
// it is not the one that it leads to now, and may yet do so again.
std::uint64_t host_side(const Mmu& mmu, const TlbEntry& entry) {
  const bool is_there = is_link_kind(entry.kind) && is_link_there(mmu, entry);
  if (is_there) return 0;
  return is_link_kind(entry.kind) ? table_of(entry) : entry.pfn.value;
}

Fingerprint of_entry(const Mmu& mmu, const Tlb& tlb, const TlbEntry& entry) {
  Digest digest;
  digest.add(entry.gfn.value);
  digest.add(host_side(mmu, entry));
  digest.add(entry.root | entry.rights << 8 | entry.level << 16 |
             entry.kind << 20 | unsigned{entry.overdue} << 24);
  tlb.each_owed(entry, [&](AliasedRange frames) {
    digest.add(frames.start.value);
    digest.add(frames.end.value);
  });
  return digest.value();
}

// What it was asked to drop is gone, served or not.
void add_tlb(Digest& digest, const Mmu& mmu, unsigned vcpu) {
  std::vector<Fingerprint> entries;
  mmu.tlbs->for_each_tlb_of(vcpu, [&](Tlb& tlb) {
    tlb.for_each([&](const TlbEntry& entry) {
      // Nobody can load its root any more.
      if (entry.incarnation != mmu.incarnations[entry.root]) return;
      entries.push_back(of_entry(mmu, tlb, entry));
    });
  });
  add_unordered(digest, entries);
}

// Where the vCPU stands among the others, and its name, are no part of it.
Fingerprint of_vcpu(const Mmu& mmu, unsigned vcpu) {
  Digest digest;
  if (mmu.tlbs) add_tlb(digest, mmu, vcpu);
  mmu.ops->add_roots_of(digest, vcpu);
  if (mmu.pml) {
    mmu.pml->each(vcpu, [&](AliasedGfn gfn) { digest.add(gfn.value); });
  }
  if (mmu.rings && vcpu < mmu.rings->of.size()) {
    mmu.rings->of[vcpu].each_word([&](std::uint64_t w) { digest.add(w); });
  }
  if (mmu.guest != nullptr && vcpu < mmu.guest->vcpus.size()) {
    add_guest_vcpu(digest, mmu.guest->vcpus[vcpu]);
  }
  if (vcpu >= mmu.vcpu_states.size()) return digest.value();
  const VcpuState& state = mmu.vcpu_states[vcpu];
  // A hole that is remembered from before the last change of slots, or none,
  // is as good as the other.
  if (state.mmio.generation == mmu.slots().generation()) {
    digest.add(state.mmio.gfn.value);
  }
  for (const AsyncFaults::Pending& page : state.async.pending()) {
    digest.add(page.issued.value);
  }
  return digest.value();
}

}  // namespace

StateParts state_parts(const Mmu& mmu) {
  Digest shared;
  add_slots(shared, mmu);
  add_host(shared, mmu);
  add_guest_memory(shared, mmu);
  mmu.ops->add_tables(shared);
  if (mmu.nx_pages) {
    mmu.nx_pages->each([&](PageId id) { add_key(shared, mmu, id); });
  }
  if (mmu.rules) mmu.rules->add_memory(shared);
  StateParts parts{shared.value(), {}};
  for (unsigned i = 0; i < mmu.vcpus.size(); ++i) {
    parts.vcpus.push_back(of_vcpu(mmu, i));
  }
  return parts;
}

Fingerprint fingerprint(const StateParts& parts) {
  Digest digest;
  digest.add(parts.shared.low);
  digest.add(parts.shared.high);
  std::vector<Fingerprint> vcpus = parts.vcpus;
  add_unordered(digest, vcpus);
  return digest.value();
}

}  // namespace mmu
