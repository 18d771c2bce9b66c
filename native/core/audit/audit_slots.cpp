// What slots and attributes say of pages, against the leaves that map them:
// the dirty log, watched frames, huge pages, holes.
//
// KVM: kvm_memory_slot.dirty_bitmap, kvm_lpage_info.disallow_lpage,
// gfn_write_track, check_mmio_spte() (v6.16).
#include <algorithm>
#include <bit>

#include "core/audit/audit_check.hpp"
#include "core/pml_log.hpp"

namespace mmu {
namespace {

// A bitmap is there while the slot is logged, and sums up its own words.
void check_bitmap(const Mmu& mmu, const Memslot& slot,
                  AuditFindings& findings) {
  if (mmu.rings != nullptr) return;
  const bool has_bitmap = slot.dirty != nullptr;
  if (has_bitmap != slot.is_logged()) {
    findings.add(words("slot ", slot.id, has_bitmap ? " has" : " lacks",
                       " a dirty bitmap, and its flags say otherwise"));
  }
  if (!has_bitmap) return;
  const std::vector<std::uint64_t>& masks = slot.dirty->words();
  std::uint64_t pages = 0;
  for (const std::uint64_t mask : masks) {
    pages += static_cast<unsigned>(std::popcount(mask));
  }
  findings.expect(words("the number of dirty pages of slot ", slot.id),
                  slot.dirty->count(), pages);
  const std::uint64_t size = slot.range.size();
  findings.expect(words("the words of the log of slot ", slot.id), masks.size(),
                  (size + 63) / 64);
  const bool goes_on =
      size % 64 != 0 && !masks.empty() && masks.back() >> size % 64 != 0;
  if (goes_on) {
    findings.add(
        words("the log of slot ", slot.id, " has bits behind its end"));
  }
}

class LeafChecks {
 public:
  LeafChecks(const Mmu& mmu, AuditFindings& findings)
      : mmu_(mmu), findings_(findings) {}

  void check(const EntrySeen& entry) {
    const Gfn gfn = mmu_.alias.slot_gfn(entry.first);
    const Memslot* slot = slot_at(mmu_, gfn);
    if (entry.spte.is_mmio()) return check_hole(entry, slot);
    if (!entry.spte.is_leaf(entry.level) || slot == nullptr) return;
    const GfnRange frames{gfn, {gfn.value + pages_per(entry.level)}};
    check_size(entry, *slot, frames);
    check_types(entry, frames);
    if (slot->range.end < frames.end) return;
    check_log(entry, *slot, frames);
    check_watched(entry, *slot, frames);
    check_attribute(entry);
  }

 private:
  bool is_private(const EntrySeen& entry) const {
    return mmu_.is_private(entry.root, entry.spte);
  }
  // What a slot's end left behind knows nothing of the slot that came next.
  std::string_view defect_of(const EntrySeen& entry) const {
    return entry.root == RootId::kPrivate ? "K1" : "";
  }

  // An MMIO entry is believed while its generation is the slots' own.
  void check_hole(const EntrySeen& entry, const Memslot* slot) {
    const std::uint64_t now = mmu_.slots().mmio_generation();
    if (slot == nullptr || mmio_generation(entry.spte) != now) return;
    if (slot->is_internal()) return;  // not every alias sees it
    findings_.add(
        words("an MMIO entry of this generation stands in slot ", slot->id),
        entry);
  }

  void check_size(const EntrySeen& entry, const Memslot& slot,
                  GfnRange frames) {
    if (entry.level == Level::k4K) return;
    if (!(slot.range.end < frames.end) && !mmu_.traits.small_leaves_only)
      return;
    findings_.add(words("a huge leaf does not fit slot ", slot.id), entry);
  }

  void check_types(const EntrySeen& entry, GfnRange frames) {
    if (!mmu_.mtrrs || mmu_.mtrrs->is_uniform(frames)) return;
    findings_.add("a huge leaf covers frames of different memory types", entry,
                  "D4");
  }

  // Whether hardware notes the next write through a leaf that may be written.
  bool notes_next_write(const EntrySeen& entry) const {
    return mmu_.pml != nullptr && !entry.spte.has(ept::kDirty);
  }

  // In a slot that is logged, whoever may write unnoticed has been noted.
  void check_log(const EntrySeen& entry, const Memslot& slot, GfnRange frames) {
    const bool is_logged =
        mmu_.rings == nullptr && slot.dirty != nullptr && !is_private(entry);
    if (!is_logged || !entry.spte.is_writable() || notes_next_write(entry)) {
      return;
    }
    for (Gfn gfn = frames.start; gfn < frames.end; ++gfn.value) {
      if (slot.has_dirty(gfn) || is_in_pml(mmu_, gfn)) continue;
      findings_.add(words("a leaf may be written whose page is clean in the "
                          "log of slot ",
                          slot.id),
                    entry);
      return;
    }
  }

  void check_watched(const EntrySeen& entry, const Memslot& slot,
                     GfnRange frames) {
    const bool may_write =
        (entry.spte.raw & (ept::kWrite | ept::kMmuWritable)) != 0;
    if (!may_write || slot.tracked.sum(frames) == 0) return;
    findings_.add(words("a leaf may be written whose frames in slot ", slot.id,
                        " are watched"),
                  entry, defect_of(entry));
  }

  // Where attributes decide, what is mapped is of the page's kind.
  void check_attribute(const EntrySeen& entry) {
    if (!mmu_.traits.checks_attributes || !mmu_.has_private_memory()) return;
    const Gfn first = mmu_.alias.canonical(entry.first);
    const GfnRange frames{first, {first.value + pages_per(entry.level)}};
    const std::uint64_t is = mmu_.private_frames.count_in(frames);
    const std::uint64_t wanted =
        mmu_.alias.is_private(entry.first) ? frames.size() : 0;
    if (is == wanted) return;
    findings_.add("a leaf maps pages against their attribute", entry);
  }

  const Mmu& mmu_;
  AuditFindings& findings_;
};

}  // namespace

void check_slots(const Mmu& mmu, const Census& census,
                 AuditFindings& findings) {
  for (const MemslotSet& set : mmu.slot_sets) {
    for (const auto& slot : set.slots()) check_bitmap(mmu, *slot, findings);
  }
  LeafChecks checks(mmu, findings);
  census.for_each_entry([&](const EntrySeen& entry) { checks.check(entry); });
}

}  // namespace mmu
