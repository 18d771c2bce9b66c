// Which change of an entry would be a bug of KVM's own, at which it stops the
// host. Whoever replaces one entry by another asks before anything changes;
// set_spte(), which everything goes through, does not pay for it.
//
// KVM: handle_changed_spte() (v6.16).
#pragma once

#include <optional>

#include "core/error.hpp"
#include "core/spte.hpp"

namespace mmu {

// A present leaf must be zapped, and flushed, before its place maps another
// frame.
inline std::optional<Error> check_spte_change(Spte old, Spte now, Level level) {
  const bool remaps =
      old.is_leaf(level) && now.is_leaf(level) && old.pfn() != now.pfn();
  if (!remaps) [[likely]]
    return std::nullopt;
  return Error{ErrorCode::kInternal,
               {{{"old", old.raw}, {"new", now.raw}}},
               "a leaf must be zapped before its place maps another frame, "
               "got " +
                   number(now.raw) + " for " + number(old.raw)};
}

}  // namespace mmu
