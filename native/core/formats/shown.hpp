// The format in which a VM's entries are shown.
#pragma once

#include "core/formats/spte_format.hpp"
#include "core/machine.hpp"

namespace mmu {

// By kernel and vendor. A kernel that shadows its guests' tables has no EPT.
const SpteFormat& format_of(const MachineConfig& config);

// An entry of this VM, as its kernel would have it.
class ShownSptes {
 public:
  explicit ShownSptes(const MachineConfig& config)
      : format_(&format_of(config)),
        host_{config.host_maxphyaddr, config.host.l1tf} {}
  ShownSptes(const SpteFormat& format, const MachineConfig& config)
      : format_(&format), host_{config.host_maxphyaddr, config.host.l1tf} {}

  std::uint64_t operator()(Spte spte) const {
    return format_->show(host_, spte);
  }
  const MmioLayout& mmio() const { return format_->mmio; }
  HostWidth host() const { return host_; }

 private:
  const SpteFormat* format_;
  HostWidth host_;
};

}  // namespace mmu
