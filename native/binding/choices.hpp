// Options with a few named values. The index of a name is the value of the
// core's enumerator.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "binding/napi.hpp"
#include "core/machine.hpp"

namespace mmu::binding {

inline constexpr std::array<std::string_view, 2> kFlavourNames{"tdp", "rmap"};
static_assert(static_cast<unsigned>(Flavour::kRmap) == 1);

inline constexpr std::array<std::string_view, 4> kPagingNames{
    "long", "pae", "32", "shadow-ept"};
static_assert(static_cast<unsigned>(GuestPaging::kPae) == 1 &&
              static_cast<unsigned>(GuestPaging::k32) == 2 &&
              static_cast<unsigned>(GuestPaging::kShadowEpt) == 3);

inline constexpr std::array<std::string_view, 3> kKernelNames{"6.16", "5.10",
                                                              "pvm-6.18"};
static_assert(static_cast<unsigned>(Kernel::kPvm618) == 2);

inline constexpr std::array<std::string_view, 2> kVendorNames{"intel", "amd"};
static_assert(static_cast<unsigned>(Vendor::kAmd) == 1);

inline constexpr std::array<std::string_view, 3> kReleaseNames{"6.16", "6.1",
                                                               "5.10"};
static_assert(static_cast<unsigned>(TraceRelease::k510) == 2);

inline constexpr std::array<std::string_view, 3> kNestedNames{"none", "ept",
                                                              "npt"};
static_assert(static_cast<unsigned>(NestedPaging::Kind::kNpt) == 2);

inline constexpr std::array<std::string_view, 5> kHostStateNames{
    "readwrite", "readonly", "none", "poison", "io"};
static_assert(static_cast<unsigned>(HostState::kReadOnly) == 1 &&
              static_cast<unsigned>(HostState::kNone) == 2 &&
              static_cast<unsigned>(HostState::kPoison) == 3 &&
              static_cast<unsigned>(HostState::kIo) == 4);

// Place of a string argument among `names`, or an exception that lists them.
std::size_t index_of(Napi::Value value, std::string_view name,
                     std::span<const std::string_view> names);

}  // namespace mmu::binding
