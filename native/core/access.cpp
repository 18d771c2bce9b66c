#include "core/access.hpp"

#include <algorithm>

#include "core/first_touch.hpp"
#include "core/flavour.hpp"
#include "core/pml_log.hpp"
#include "core/reach.hpp"
#include "core/ring_calls.hpp"
#include "core/rules/rule_set.hpp"
#include "core/structure_cache.hpp"
#include "core/tracepoints/tracer.hpp"
#include "core/vm_events.hpp"
#include "core/write_fix.hpp"

namespace mmu {
namespace {

void report(Mmu& mmu, const Access& access, Pfn pfn, Level level, bool from_tlb,
            bool overdue) {
  if (mmu.rules == nullptr) return;
  const bool is_write = (access.wanted & kAccessWrite) != 0;
  const bool is_noted = from_tlb && (is_write || overdue);
  if (!is_noted && !mmu.rules->sees_walks()) return;
  const Gfn canonical = mmu.alias.canonical(access.issued);
  mmu.rules->served({access, canonical, pfn, level, from_tlb, overdue});
}

// A fault drops what was cached of the address, in whatever size.
void drop_leaves(Mmu& mmu, Tlb& tlb, const Access& access, std::uint8_t root) {
  const std::uint32_t incarnation = mmu.incarnations[root];
  while (TlbEntry* entry = tlb.lookup(root, incarnation, access.issued)) {
    tlb.remove(*entry);
  }
}

bool serve_from_tlb(Mmu& mmu, const Access& access, Outcome& out) {
  Tlb& tlb = (*mmu.tlbs)[access.vcpu];
  const auto root = static_cast<std::uint8_t>(mmu.alias.root_of(access.issued));
  TlbEntry* entry = tlb.lookup(root, mmu.incarnations[root], access.issued);
  if (entry == nullptr) return false;
  if ((entry->rights & access.wanted) != access.wanted) {
    drop_leaves(mmu, tlb, access, root);
    return false;
  }
  tlb.touch(*entry);
  out = {.code = OutcomeCode::kHit, .level = entry->level};
  const bool overdue = tlb.settle(*entry, access.issued);
  report(mmu, access, entry->pfn_of(access.issued), level_of(entry->level),
         true, overdue);
  return true;
}

// What a TLB keeps of a leaf: where hardware keeps Dirty, no right to write
// while it is clear, so that the first write walks and sets it. A leaf that is
// larger than any entry is kept in parts.
void fill_tlb(Mmu& mmu, const Access& access, const Reached& at) {
  auto rights = static_cast<std::uint8_t>(at.spte.permissions());
  const bool must_mark = mmu.config.host.ad_bits && !at.spte.has(ept::kDirty);
  if (must_mark) rights &= ~kAccessWrite;
  const auto root = static_cast<std::uint8_t>(mmu.alias.root_of(access.issued));
  Tlb& tlb = (*mmu.tlbs)[access.vcpu];
  const TlbKind kind = tlb.kind_for(at.level);
  const AliasedGfn first = round_down(access.issued, span_of(kind));
  const TlbEntry entry{.gfn = first,
                       .pfn = at.pfn_of(first),
                       .incarnation = mmu.incarnations[root],
                       .root = root,
                       .rights = rights,
                       .level = static_cast<std::uint8_t>(at.level),
                       .kind = kind};
  // The access missed it, or dropped it; but others may have run since.
  if (mmu.interleave) {
    tlb.insert(entry);
  } else {
    tlb.insert_absent(entry);
  }
}

// Hardware's marks in a leaf that served an access, and its log of them.
// Private memory is never logged.
void mark_leaf(Mmu& mmu, const Access& access, std::uint64_t* entry,
               std::uint64_t word) {
  if (!mmu.config.host.ad_bits) return;
  HardwareWalk::mark(entry, word, access.wanted);
  if (mmu.pml == nullptr) return;
  const bool dirties =
      (access.wanted & kAccessWrite) != 0 && (word & ept::kDirty) == 0;
  const bool is_private =
      mmu.is_private(mmu.alias.root_of(access.issued), from_stored(word));
  if (dirties && !is_private) log_dirty_bit(mmu, access.vcpu, access.issued);
}

bool keeps_links(Mmu& mmu, const Access& access) {
  return mmu.tlbs != nullptr && (*mmu.tlbs)[access.vcpu].keeps_links();
}

// What a walk that found its way leaves behind, beside the leaf's marks.
void remember(Mmu& mmu, const Access& access, const Reached& at,
              unsigned skipped) {
  if (mmu.tlbs == nullptr) return;
  fill_tlb(mmu, access, at);
  if (keeps_links(mmu, access)) keep_links(mmu, access, at.level, skipped);
}

// Hardware's own try, from `skipped` tables below the root. `word` is where its
// walk ended.
bool serve_from_tables(Mmu& mmu, const Access& access, unsigned skipped,
                       std::uint64_t& word, Level& level) {
  const PageTable& tree = mmu.tree(mmu.alias.root_of(access.issued));
  const HardwareWalk walk(tree);
  const Translation at = walk.walk_ahead(access.issued);
  std::uint64_t* entry = walk.last(at, access.issued);
  word = *entry;
  level = at.level;
  if (!HardwareWalk::allows(word, access.wanted)) return false;
  mark_leaf(mmu, access, entry, word);
  const Reached now{from_stored(*entry), at.level, entry};
  remember(mmu, access, now, skipped);
  report(mmu, access, now.pfn_of(access.issued), now.level, false, false);
  return true;
}

bool resumes_guest(OutcomeCode code) {
  return code == OutcomeCode::kFixed || code == OutcomeCode::kSpurious ||
         code == OutcomeCode::kUnzapped;
}

// An exit because of the fault.
OutcomeCode exit_with(Mmu& mmu, Fault& fault) {
  if (mmu.trace) mmu.trace->page_fault(fault);
  return handle_fault(mmu, fault);
}

// The VMM's side of a memory fault: convert, and try once more.
bool convert_and_retry(Mmu& mmu, Fault& fault, OutcomeCode& code) {
  // The exit counts once it is sure that there is memory for what follows.
  --mmu.vcpus[fault.vcpu].pf_taken;
  if (!mmu.ops->ensure_room(fault)) return false;
  set_attributes(mmu, {fault.canonical, {fault.canonical.value + 1}},
                 fault.is_private);
  ++mmu.vcpus[fault.vcpu].pf_taken;
  ++mmu.conversions;
  code = exit_with(mmu, fault);
  return true;
}

// The access once more, after KVM has answered.
OutcomeCode reissue(Mmu& mmu, Fault& fault, OutcomeCode code) {
  const Access access{fault.issued, fault.access, fault.vcpu};
  OutcomeCode outcome = code;
  std::uint64_t word = 0;
  Level level{};
  if (!serve_from_tables(mmu, access, 0, word, level)) {
    Fault again =
        make_fault(mmu.alias, fault.issued, fault.access, fault.vcpu, word);
    const bool is_emulated =
        exit_with(mmu, again) == OutcomeCode::kWriteProtected;
    fault.level = Level::kNone;
    outcome = is_emulated ? OutcomeCode::kWriteProtected : OutcomeCode::kStuck;
  }
  if (mmu.rules != nullptr &&
      (outcome == OutcomeCode::kStuck || mmu.rules->sees_walks())) {
    mmu.rules->answered({access, fault.canonical, code, outcome});
  }
  return outcome;
}

}  // namespace

bool resolve_miss(Mmu& mmu, Fault& fault, Outcome& out) {
  const std::uint64_t before = mmu.accounts.changed;
  const HardwareWalk walk(mmu.tree(fault.root));
  const auto depth = static_cast<std::uint8_t>(walk.depth(fault.issued));
  mmu.flush.begin_event(true);
  drain_pml(mmu, fault.vcpu);
  if (mmu.trace) mmu.trace->begin(fault.vcpu);
  OutcomeCode code = exit_with(mmu, fault);
  if (code == OutcomeCode::kMemoryFault && mmu.config.convert_on_exit &&
      !convert_and_retry(mmu, fault, code)) {
    return false;
  }
  if (fault.out_of_memory) return false;
  const bool again = resumes_guest(code) && !fault.recycled;
  if (again) code = reissue(mmu, fault, code);
  out = done_since(mmu, before);
  out.code = code;
  out.level = static_cast<std::uint8_t>(fault.level);
  out.tables_read = depth;
  return true;
}

namespace {

bool answer_fault(Mmu& mmu, const Access& access, unsigned skipped,
                  std::uint64_t word, Outcome& out) {
  if (keeps_links(mmu, access)) drop_links(mmu, access);
  Fault fault =
      make_fault(mmu.alias, access.issued, access.wanted, access.vcpu, word);
  if (!resolve_miss(mmu, fault, out)) return false;
  out.tables_read -= static_cast<std::uint8_t>(skipped);
  return true;
}

// The two commonest faults, without the generality, as the batch loop has them
// where there is no TLB (first_touch.hpp, write_fix.hpp). The second try of the
// access finds what they have just left.
bool fix_shortly(Mmu& mmu, const Access& access, std::uint64_t word,
                 Level level) {
  if (!mmu.has_short_ways || level != Level::k4K) return false;
  if (mmu.alias.walk_gfn(access.issued) != access.issued) return false;
  const Gfn gfn = mmu.alias.slot_gfn(access.issued);
  const HardwareWalk walk(mmu.tree(RootId::kDirect));
  const Translation at = walk.walk_ahead(access.issued);
  if (word == 0) {
    return map_first_touch(mmu, at, access.issued, gfn, access.wanted,
                           access.vcpu);
  }
  return fix_write(mmu, walk.last(at, access.issued), word, gfn, access.wanted,
                   access.vcpu);
}

// Of an access that was fixed so. What was kept of its way goes and comes
// again, all of it as last used: no step in between shows.
void go_on(Mmu& mmu, const Access& access, unsigned skipped, Outcome& out) {
  const Reached now = reach(mmu, access.issued);
  remember(mmu, access, now, 0);
  report(mmu, access, now.pfn_of(access.issued), now.level, false, false);
  if (mmu.rules != nullptr && mmu.rules->sees_walks()) {
    mmu.rules->answered({access, mmu.alias.canonical(access.issued),
                         OutcomeCode::kFixed, OutcomeCode::kFixed});
  }
  out = {
      .code = OutcomeCode::kFixed,
      .level = 1,
      .tables_read = static_cast<std::uint8_t>(mmu.config.root_level - skipped),
      .sptes_changed = 1};
}

bool try_access(Mmu& mmu, const Access& access, Outcome& out) {
  if (mmu.tlbs != nullptr && serve_from_tlb(mmu, access, out)) return true;
  const unsigned skipped =
      keeps_links(mmu, access) ? tables_skipped(mmu, access) : 0;
  std::uint64_t word = 0;
  Level level{};
  if (!serve_from_tables(mmu, access, skipped, word, level)) {
    if (fix_shortly(mmu, access, word, level)) {
      go_on(mmu, access, skipped, out);
      return true;
    }
    return answer_fault(mmu, access, skipped, word, out);
  }
  out = {.code = OutcomeCode::kHit,
         .level = static_cast<std::uint8_t>(level),
         .tables_read = static_cast<std::uint8_t>(
             mmu.config.root_level - number_of(level) + 1 - skipped)};
  return true;
}

}  // namespace

// A vCPU whose ring is full exits before it runs on, and goes on when its VMM
// has emptied the ring: what that flushed and changed is part of the event.
bool perform_access(Mmu& mmu, const Access& access, Outcome& out) {
  if (mmu.rings == nullptr) [[likely]]
    return try_access(mmu, access, out);
  const std::uint64_t before = mmu.accounts.changed;
  // Its VMM asks by its thread, so that it waits for the others alone.
  mmu.flush.begin_event(true);
  if (!empty_full_ring(mmu, access.vcpu)) return try_access(mmu, access, out);
  const Outcome emptied = done_since(mmu, before);
  if (!try_access(mmu, access, out)) return false;
  out.sptes_changed += emptied.sptes_changed;
  out.flush = std::max(out.flush, emptied.flush);
  out.flushed_pages += emptied.flushed_pages;
  return true;
}

}  // namespace mmu
