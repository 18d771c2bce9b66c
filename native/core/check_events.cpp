#include "core/check_events.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/address.hpp"

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
bool are_addresses(const double* gpa, std::size_t count, double last) {
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
bool are_accesses(const EventColumns& events, std::size_t start,
                  std::size_t count, double limit, unsigned vcpus) {
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
  return {ErrorCode::kEvent, {{{"row", row}, {"value", value}}}, expected};
}

std::optional<Error> check_access(const EventColumns& events, std::size_t row,
                                  double limit, unsigned vcpus) {
  if (!is_address(events.gpa[row], limit)) {
    return refuse(row,
                  "expected a gpa that is an integer below the VM's "
                  "address width",
                  shown(events.gpa[row]));
  }
  if (events.access[row] - 1u >= kAccessMask) {
    return refuse(row,
                  "expected access to be a non-empty set of read 1, "
                  "write 2, fetch 4",
                  events.access[row]);
  }
  if (events.vcpu[row] >= vcpus) {
    return refuse(row, "expected the number of a vCPU of this VM",
                  events.vcpu[row]);
  }
  return std::nullopt;
}

// A range of pages inside the address space. All but a zap may leave it empty:
// a dirty-log operation then means every slot, the others ignore it.
std::optional<Error> check_range(const EventColumns& events, std::size_t row,
                                 double limit, bool may_be_empty) {
  const double gpa = events.gpa[row];
  const double bytes = events.bytes[row];
  if (!is_length(gpa, limit)) {
    return refuse(row,
                  "expected a page-aligned gpa below the VM's address "
                  "width",
                  shown(gpa));
  }
  if (!is_length(bytes, limit) || gpa + bytes > limit ||
      (bytes == 0 && !may_be_empty)) {
    return refuse(row,
                  "expected a whole number of pages that ends within the "
                  "VM's address width",
                  shown(bytes));
  }
  return std::nullopt;
}

std::optional<Error> check_row(const EventColumns& events, std::size_t row,
                               const MachineConfig& config, double limit) {
  switch (static_cast<EventKind>(events.kind[row])) {
    case EventKind::kAccess:
      return check_access(events, row, limit, config.vcpus);
    case EventKind::kZap:
      return check_range(events, row, limit, false);
    case EventKind::kZapAllFast:
    case EventKind::kDirtyLogGet:
    case EventKind::kDirtyLogEnable:
    case EventKind::kDirtyLogDisable:
    case EventKind::kEnd:
      return check_range(events, row, limit, true);
  }
  return refuse(row, "expected a known event kind", events.kind[row]);
}

}  // namespace

std::optional<Error> check_events(const EventColumns& events,
                                  const MachineConfig& config) {
  constexpr std::size_t kBlock = 256;
  const auto limit = static_cast<double>(bit(config.address_bits));
  for (std::size_t start = 0; start < events.count; start += kBlock) {
    const std::size_t end = std::min(start + kBlock, events.count);
    if (are_accesses(events, start, end - start, limit, config.vcpus)) {
      continue;
    }
    for (std::size_t row = start; row < end; ++row) {
      std::optional<Error> error = check_row(events, row, config, limit);
      if (error) return error;
    }
  }
  return std::nullopt;
}

}  // namespace mmu
