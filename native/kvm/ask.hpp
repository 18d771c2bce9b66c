// An ioctl, asked again where a signal came between.
#pragma once

#include <cerrno>

#include "kvm/live_kvm.hpp"
#include "kvm/uapi.hpp"

#ifdef MMU_HAS_KVM

namespace mmu::kvm {

// What ioctl() returned, errno being set where that is -1.
template <class Argument>
int ask_for(int file, unsigned long request, Argument argument) {
  int returned = 0;
  do {
    returned = ::ioctl(file, request, argument);
  } while (returned < 0 && errno == EINTR);
  return returned;
}

template <class Argument>
Errno ask(int file, unsigned long request, Argument argument) {
  return ask_for(file, request, argument) < 0 ? errno : 0;
}

}  // namespace mmu::kvm

#endif
