#include "core/formats/shown.hpp"

#include "core/formats/ept_510.hpp"
#include "core/formats/ept_616.hpp"
#include "core/formats/npt_510.hpp"
#include "core/formats/npt_616.hpp"

namespace mmu {

const SpteFormat& format_of(const MachineConfig& config) {
  const bool is_ept = config.host.vendor == Vendor::kIntel;
  switch (config.kernel) {
    case Kernel::k616:
      return is_ept ? kEpt616 : kNpt616;
    case Kernel::k510:
      return is_ept ? kEpt510 : kNpt510;
    case Kernel::kPvm618:
      return kNpt616;
  }
  return kEpt616;
}

}  // namespace mmu
