// Statistics of one VM, by name. KVM: Documentation/virt/kvm/api.rst, 4.133.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "kvm/descriptor.hpp"
#include "kvm/uapi.hpp"

#ifdef MMU_HAS_KVM

namespace mmu::kvm {

class VmStatistics {
 public:
  VmStatistics() = default;
  // Of a VM's descriptor; none at all from a kernel that has no such file.
  static VmStatistics of(int vm);

  std::optional<std::uint64_t> read(const std::string& name) const;

 private:
  void learn();

  Descriptor file_;
  std::map<std::string, std::uint64_t> offsets_;
};

}  // namespace mmu::kvm

#endif
