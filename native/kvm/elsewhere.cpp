// Where there is no KVM to ask.
#include "kvm/live_kvm.hpp"
#include "kvm/uapi.hpp"

#ifndef MMU_HAS_KVM

namespace mmu::kvm {

Result<std::unique_ptr<LiveKvm>> LiveKvm::open(const std::string&) {
  return Error{
      .code = ErrorCode::kUnsupported,
      .detail = "this build asks no KVM: it was not made for Linux on x86-64"};
}

}  // namespace mmu::kvm

#endif
