#include "core/tracepoints/trace_layout.hpp"

#include "core/formats/ept_510.hpp"
#include "core/formats/ept_616.hpp"
#include "core/formats/npt_510.hpp"
#include "core/formats/npt_61.hpp"

namespace mmu {
namespace {

// KVM: tdp_mmu_zap_root() (v6.16): small steps first, so that no step is long.
constexpr TraceLayout k616Layout{
    .ept = &kEpt616,
    .npt = &kNpt616,
    .removed = RemovedEntries::kEachFrozen,
    .passes = {Level::k4K, Level::k2M, Level::k1G, Level::kNone},
    .names_vcpu = true,
    .frames_as_faulted = false,
    .wide_error_codes = true,
    .flags = "....."};

// KVM: tdp_mmu_zap_root() (v5.17 to v6.8).
constexpr TraceLayout k61Layout{.ept = &kEpt61,
                                .npt = &kNpt61,
                                .removed = RemovedEntries::kEachFrozen,
                                .passes = {Level::k1G, Level::kNone},
                                .names_vcpu = true,
                                .frames_as_faulted = false,
                                .wide_error_codes = false,
                                .flags = "....."};

// KVM: zap_gfn_range() (5.10).
constexpr TraceLayout k510Layout{.ept = &kEpt510,
                                 .npt = &kNpt510,
                                 .removed = RemovedEntries::kZeroedIfUsed,
                                 .passes = {Level::kNone},
                                 .names_vcpu = false,
                                 .frames_as_faulted = true,
                                 .wide_error_codes = false,
                                 .flags = "...."};

}  // namespace

const TraceLayout& layout_of(TraceRelease release) {
  switch (release) {
    case TraceRelease::k616:
      return k616Layout;
    case TraceRelease::k61:
      return k61Layout;
    case TraceRelease::k510:
      return k510Layout;
  }
  return k616Layout;
}

TraceRelease release_of(Kernel kernel) {
  return kernel == Kernel::k510 ? TraceRelease::k510 : TraceRelease::k616;
}

}  // namespace mmu
