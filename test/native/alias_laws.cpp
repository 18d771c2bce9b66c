#include "alias_laws.hpp"

#include <vector>

namespace alias_laws {
namespace {

using mmu::AliasedGfn;
using mmu::AliasedRange;
using mmu::Gfn;
using mmu::GfnRange;
using mmu::View;

// Half of all frames lie beside a power of two or at an end of the space:
// that is where a carry, a wrap or an `or` instead of a `+` shows.
std::uint64_t edge_biased(Random& random, std::uint64_t end) {
  if (random() % 2 == 0) return random() % end;
  const std::uint64_t edge = mmu::bit(random() % 41);
  return (edge + random() % 3 - 1) % end;
}

GfnRange edge_biased_range(Random& random, std::uint64_t end) {
  const std::uint64_t a = edge_biased(random, end);
  const std::uint64_t b = random() % 4 == 0 ? end : edge_biased(random, end);
  return {{std::min(a, b)}, {std::max(a, b) + (a == b)}};
}

AliasedRange part_of(AliasedRange whole, Random& random) {
  const GfnRange part = edge_biased_range(random, whole.size());
  return {{whole.start.value + part.start.value},
          {whole.start.value + part.end.value}};
}

bool is_in_one_view(const Subject& subject, Random& random) {
  const AliasedGfn issued = subject.frame(random);
  const Gfn gfn = subject.alias.slot_gfn(issued);
  int found = 0;
  for (const View& view : subject.alias.views({gfn, {gfn.value + 1}})) {
    found += view.root == subject.alias.root_of(issued) &&
             view.range.contains(issued);
  }
  return found == 1;
}

bool leads_inside(const Subject& subject, Random& random) {
  const GfnRange range = subject.slot_range(random);
  const std::uint64_t inside = random() % range.size();
  for (const View& view : subject.alias.views(range)) {
    if (view.range.size() != range.size()) return false;
    for (std::uint64_t at : {std::uint64_t{0}, inside, range.size() - 1}) {
      const AliasedGfn frame{view.range.start.value + at};
      const Gfn gfn = subject.alias.slot_gfn(frame);
      if (gfn.value != range.start.value + at) return false;
      if (frame.value - view.offset != gfn.value) return false;
      if (view.alias != subject.space().alias_of(frame)) return false;
      if (view.root != subject.alias.root_of(frame)) return false;
    }
  }
  return true;
}

bool keeps_apart(const Subject& subject, Random& random) {
  const GfnRange whole = subject.slot_range(random);
  const Gfn middle{whole.start.value + whole.size() / 2};
  for (const View& low : subject.alias.views({whole.start, middle})) {
    for (const View& high : subject.alias.views({middle, whole.end})) {
      if (low.root == high.root && low.range.overlaps(high.range)) return false;
    }
  }
  return true;
}

// What an operation on a slot range may take: a part of each way to it.
mmu::Takings random_takings(const Subject& subject, GfnRange range,
                            Random& random) {
  mmu::Takings taken;
  const Gfn base = subject.space().strip({range.start.value});
  for (unsigned alias = 0; alias < subject.space().alias_count(); ++alias) {
    const AliasedGfn start = subject.space().issue(base, alias);
    const bool leads_here = subject.alias.slot_gfn(start) == range.start;
    if (!leads_here || random() % 3 == 0) continue;
    const AliasedRange way{start, {start.value + range.size()}};
    taken.add(alias, part_of(way, random));
  }
  return taken;
}

// Carries a plan out as tlb_flush.cpp does, with calls that fail at random.
struct Flushed {
  bool full = false;
  std::vector<AliasedRange> ranges;

  Flushed(const mmu::FlushPlan& plan, bool has_provider, Random& random) {
    if (!has_provider) {
      full = !plan.is_empty();
      return;
    }
    const std::uint64_t failing = random() % 3 == 0 ? random() : 0;
    for (std::size_t i = 0; i < plan.count; ++i) {
      if ((failing >> i & 1) == 0) {
        ranges.push_back(plan.calls[i]);
      } else if (i < plan.heeded) {
        full = true;
        return;
      }
    }
    full = plan.full;
  }

  bool covers(AliasedRange taken) const {
    if (full || taken.empty()) return true;
    for (const AliasedRange& range : ranges) {
      if (range.contains(taken.start) && taken.end <= range.end) return true;
    }
    return false;
  }
};

bool flushes_what_is_taken(const Subject& subject, Random& random) {
  const GfnRange range = subject.slot_range(random);
  const mmu::Takings taken = random_takings(subject, range, random);
  const bool has_provider =
      !subject.support.refuses_provider && random() % 8 != 0;
  const Flushed flushed(subject.alias.flush_plan({range, taken}), has_provider,
                        random);
  for (unsigned alias = 0; alias < mmu::Takings::kMost; ++alias) {
    if (!flushed.covers(taken.of(alias).range)) return false;
  }
  return true;
}

// An alias that only gets as far as an error does not count.
bool shows_internal_once(const Subject& subject, Random& random) {
  const Gfn gfn = subject.space().strip(subject.frame(random));
  int seen = 0;
  for (unsigned alias = 0; alias < subject.space().alias_count(); ++alias) {
    const AliasedGfn issued = subject.space().issue(gfn, alias);
    const bool is_error = subject.alias.is_private(issued) &&
                          subject.alias.traits().private_internal_is_error;
    seen += !is_error && subject.alias.sees_internal_slot(issued);
  }
  return seen == 1;
}

bool asks_mtrr_for_slot_frame(const Subject& subject, Random& random) {
  const AliasedGfn issued = subject.frame(random);
  return subject.alias.mtrr_gfn(issued) == subject.alias.slot_gfn(issued);
}

bool walks_as_issued(const Subject& subject, Random& random) {
  const AliasedGfn issued = subject.frame(random);
  return subject.alias.walk_gfn(issued) == issued;
}

bool keys_differ(const Subject& subject, Random& random) {
  const Gfn gfn = subject.space().strip(subject.frame(random));
  const auto key = [&](std::uint64_t alias) {
    return subject.alias.key_gfn(
        subject.space().issue(gfn, static_cast<unsigned>(alias)));
  };
  const unsigned aliases = subject.space().alias_count();
  if (aliases == 1) return true;
  const std::uint64_t one = random() % aliases;
  const std::uint64_t other = (one + 1 + random() % (aliases - 1)) % aliases;
  return key(one) != key(other);
}

}  // namespace

std::uint64_t Subject::end() const {
  const unsigned width =
      space().address_bits == 0 ? mmu::kMaxAddressBits : space().address_bits;
  return mmu::bit(width - mmu::kPageShift);
}

std::uint64_t Subject::canonical_end() const {
  return space().bit_count == 0 ? end() : space().offset_of(1);
}

AliasedGfn Subject::frame(Random& random) const {
  return space().as_hardware_sees({edge_biased(random, end())});
}

GfnRange Subject::slot_range(Random& random) const {
  const GfnRange range = edge_biased_range(random, canonical_end());
  const auto some_alias =
      static_cast<unsigned>(random() % space().alias_count());
  const Gfn start = alias.slot_gfn(space().issue(range.start, some_alias));
  return {start, {start.value + range.size()}};
}

const std::array<Law, 8> kLaws{{
    {"views", "an issued frame lies in exactly one view of its slot frame",
     is_in_one_view},
    {"inside", "every frame of a view has its slot frame in the range",
     leads_inside},
    {"apart", "views of disjoint ranges are disjoint", keeps_apart},
    {"flush", "whatever calls fail, what was taken is flushed",
     flushes_what_is_taken},
    {"internal", "one of KVM's own slots is seen through one alias",
     shows_internal_once},
    {"mtrr", "the memory type is asked for the frame that slots know",
     asks_mtrr_for_slot_frame},
    {"progress", "KVM walks by the frame that hardware walks by",
     walks_as_issued},
    {"sharing", "two aliases of a frame have two keys", keys_differ},
}};

}  // namespace alias_laws
