// Events that are not accesses: operations of the VMM and of the host.
#pragma once

#include "core/memslot_ops.hpp"

namespace mmu {

// `range` is what the event names. For dirty-log events an empty one means
// every slot of address space 0.
Outcome apply_vm_event(Mmu& mmu, const ViewsOf& views, EventKind kind,
                       GfnRange range);

// The outcome of something that is not an access, begun when the accounts had
// counted `before` changes.
Outcome done_since(const Mmu& mmu, std::uint64_t before);

}  // namespace mmu
