#include "core/check_events.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/address.hpp"
#include "core/guest/access_gva.hpp"
#include "core/guest/guest_calls.hpp"

namespace mmu {
namespace {

// A double of at most 2^52 is integral if adding and taking away 2^52 changes
// nothing.
constexpr double kTwo52 = 4503599627370496.0;

bool is_address(double value, double limit) {
  return value >= 0 && value < limit && (value + kTwo52) - kTwo52 == value;
}

bool is_length(double value, double limit) {
  return is_address(value, limit + 1) && std::fmod(value, kPageSize) == 0;
}

// Whether every gpa is one of an access. Written on bit patterns and without a
// branch: a fraction leaves bits behind, NaN and infinity too; a value below
// zero or above `last` has a sign. Negative zero fails here and passes below.
[[gnu::always_inline]] inline bool are_addresses(const double* gpa,
                                                 std::size_t count,
                                                 double last) {
  constexpr std::uint64_t kSign = bit(63);
  std::uint64_t bad = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double whole = (gpa[i] + kTwo52) - kTwo52;
    bad |= std::bit_cast<std::uint64_t>(gpa[i] - whole);
    bad |= (std::bit_cast<std::uint64_t>(gpa[i]) |
            std::bit_cast<std::uint64_t>(last - gpa[i])) &
           kSign;
  }
  return bad == 0;
}

// One loop per column, because a loop over one type is one that the compiler
// turns into vector instructions. False may be wrong, true is not.
[[gnu::always_inline]] inline bool are_accesses(const EventColumns& events,
                                                std::size_t start,
                                                std::size_t count, double limit,
                                                unsigned vcpus) {
  std::uint8_t kinds = 0;
  std::uint8_t access = 0;
  std::uint16_t vcpu = 0;
  for (std::size_t i = start; i < start + count; ++i) kinds |= events.kind[i];
  for (std::size_t i = start; i < start + count; ++i) {
    access = std::max<std::uint8_t>(access, events.access[i] - 1);
  }
  for (std::size_t i = start; i < start + count; ++i) {
    vcpu = std::max(vcpu, events.vcpu[i]);
  }
  return kinds == 0 && access < kAccessMask && vcpu < vcpus &&
         are_addresses(events.gpa + start, count, limit - 1);
}

std::uint64_t shown(double value) {
  return value >= 0 && value < kTwo52 ? static_cast<std::uint64_t>(value)
                                      : ~std::uint64_t{0};
}

Error refuse(std::size_t row, const char* expected, std::uint64_t value) {
  return {ErrorCode::kEvent,
          {{{"row", row}, {"value", value}}},
          std::string(expected) + ", got " + number(value)};
}

std::optional<Error> check_vcpu(const EventColumns& events, std::size_t row,
                                unsigned vcpus) {
  const std::uint64_t vcpu = events.vcpu[row];
  if (vcpu < vcpus) return std::nullopt;
  return Error{ErrorCode::kEvent,
               {{{"row", row}, {"value", vcpu}, {"limit", vcpus}}},
               "expected a vCPU below " + std::to_string(vcpus) +
                   ", got vCPU " + std::to_string(vcpu)};
}

std::optional<Error> check_gpa(const double* gpa, std::size_t row,
                               double limit) {
  if (is_address(gpa[row], limit)) return std::nullopt;
  return refuse(row,
                "expected a gpa that is an integer below the VM's "
                "address width",
                shown(gpa[row]));
}

std::optional<Error> check_access(const EventColumns& events, std::size_t row,
                                  double limit, unsigned vcpus) {
  if (auto error = check_gpa(events.gpa, row, limit)) return error;
  if (events.access[row] - 1u >= kAccessMask) {
    return refuse(row,
                  "expected access to be a non-empty set of read 1, "
                  "write 2, fetch 4",
                  events.access[row]);
  }
  return check_vcpu(events, row, vcpus);
}

// Where ranges of a kind may lie, and what to call it.
struct Bounds {
  double limit;
  bool may_be_empty;
  const char* start;
  const char* length;
};

// A range of pages. A dirty-log operation on an empty one means every slot,
// and what takes no range ignores it.
std::optional<Error> check_range(const EventColumns& events, std::size_t row,
                                 const Bounds& bounds) {
  const double start = events.gpa[row];
  const double bytes = events.bytes[row];
  if (!is_length(start, bounds.limit) || start == bounds.limit) {
    return refuse(row, bounds.start, shown(start));
  }
  if (!is_length(bytes, bounds.limit) || start + bytes > bounds.limit ||
      (bytes == 0 && !bounds.may_be_empty)) {
    return refuse(row, bounds.length, shown(bytes));
  }
  return std::nullopt;
}

Bounds guest_range(double limit, bool may_be_empty) {
  return {limit, may_be_empty,
          "expected a page-aligned gpa below the VM's address width, without "
          "alias bits",
          "expected a whole number of pages that ends within the VM's address "
          "width, alias bits left out"};
}

std::optional<Error> check_attributes(const EventColumns& events,
                                      std::size_t row, const Mmu& mmu,
                                      double canonical) {
  if (!mmu.has_private_memory()) {
    return refuse(row,
                  "expected no attributes event: this VM has no private "
                  "memory",
                  events.kind[row]);
  }
  constexpr std::uint8_t kKnown = kAttributesPrivate | kAttributesInserted;
  if ((events.access[row] & ~kKnown) != 0) {
    return refuse(row, "expected access to be a sum of private 1, inserted 2",
                  events.access[row]);
  }
  return check_range(events, row, guest_range(canonical, false));
}

// Of a canonical address, as a signed number: 57 bits, of which a double keeps
// all but those inside a page.
std::optional<Error> check_gva_access(const EventColumns& events,
                                      std::size_t row, unsigned vcpus) {
  constexpr double kHalf = 72057594037927936.0;  // 2^56
  const double gva = events.gpa[row];
  if (!(gva >= -kHalf && gva < kHalf) || std::floor(gva) != gva) {
    return refuse(row, "expected a gva that is an integer in [-2^56, 2^56)",
                  shown(gva));
  }
  const unsigned access = events.access[row];
  if ((access & kAccessMask) == 0 || access > (kAccessMask | kAccessUser)) {
    return refuse(row,
                  "expected access to be a non-empty set of read 1, write 2, "
                  "fetch 4, and user 8 if so",
                  access);
  }
  return check_vcpu(events, row, vcpus);
}

struct Limits {
  double issued;     // of an access
  double canonical;  // of a range of pages
};

std::optional<Error> check_row(const EventColumns& events, std::size_t row,
                               const Mmu& mmu, const Limits& limits) {
  switch (static_cast<EventKind>(events.kind[row])) {
    case EventKind::kAccess:
      if (is_addressed_by_gva(mmu)) {
        return check_gva_access(events, row, mmu.config.vcpus);
      }
      return check_access(events, row, limits.issued, mmu.config.vcpus);
    case EventKind::kZap:
      return check_range(events, row, guest_range(limits.canonical, false));
    case EventKind::kWriteTrackAdd:
    case EventKind::kWriteTrackRemove:
      return check_range(events, row, guest_range(limits.canonical, false));
    case EventKind::kPrefault:
      if (auto error = check_vcpu(events, row, mmu.config.vcpus)) return error;
      return check_range(events, row, guest_range(limits.issued, false));
    case EventKind::kVcpuTlbFlush:
    case EventKind::kAsyncReady:
      return check_vcpu(events, row, mmu.config.vcpus);
    case EventKind::kHvaInvalidate:
    case EventKind::kHvaBegin:
    case EventKind::kHvaEnd:
    case EventKind::kAge:
    case EventKind::kTestAge:
      return check_range(
          events, row,
          {kTwo52, false, "expected a page-aligned hva below 2^52",
           "expected a whole number of pages that ends below 2^52"});
    case EventKind::kAttributes:
      return check_attributes(events, row, mmu, limits.canonical);
    case EventKind::kZapAllFast:
    case EventKind::kDirtyLogGet:
    case EventKind::kDirtyLogEnable:
    case EventKind::kDirtyLogDisable:
    case EventKind::kDirtyLogClear:
    case EventKind::kDirtyRingReset:
    case EventKind::kNxRecover:
    case EventKind::kEnd:
      return check_range(events, row, guest_range(limits.canonical, true));
  }
  return refuse(row, "expected a known event kind", events.kind[row]);
}

Limits limits_of(const Mmu& mmu) {
  const AliasSpace& space = mmu.alias.space();
  const std::uint64_t issued = bit(mmu.config.address_bits);
  const std::uint64_t canonical =
      space.bit_count == 0 ? issued : space.offset_of(1) << kPageShift;
  return {static_cast<double>(issued), static_cast<double>(canonical)};
}

}  // namespace

std::optional<Error> check_events(const EventColumns& events, const Mmu& mmu) {
  constexpr std::size_t kBlock = 256;
  const Limits limits = limits_of(mmu);
  for (std::size_t start = 0; start < events.count; start += kBlock) {
    const std::size_t end = std::min(start + kBlock, events.count);
    if (!is_addressed_by_gva(mmu) &&
        on_path(mmu.vector_path, [&]() __attribute__((always_inline)) {
          return are_accesses(events, start, end - start, limits.issued,
                              mmu.config.vcpus);
        })) {
      continue;
    }
    for (std::size_t row = start; row < end; ++row) {
      std::optional<Error> error = check_row(events, row, mmu, limits);
      if (error) return error;
    }
  }
  return std::nullopt;
}

std::optional<Error> check_gpas(const double* gpa, std::size_t count,
                                const Mmu& mmu) {
  const auto limit = static_cast<double>(bit(mmu.config.address_bits));
  const bool are_all =
      on_path(mmu.vector_path, [&]() __attribute__((always_inline)) {
        return are_addresses(gpa, count, limit - 1);
      });
  if (are_all) return std::nullopt;
  for (std::size_t row = 0; row < count; ++row) {
    if (auto error = check_gpa(gpa, row, limit)) return error;
  }
  return std::nullopt;
}

}  // namespace mmu
