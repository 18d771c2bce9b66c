#include "core/guest_mtrrs.hpp"

#include <algorithm>

namespace mmu {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

constexpr std::uint64_t kTypeField = bits(7, 0);
constexpr std::uint64_t kFixedEnable = bit(10);
constexpr std::uint64_t kEnable = bit(11);
constexpr std::uint64_t kValid = bit(11);  // of a mask
constexpr std::uint64_t kBaseReserved = bits(11, 8);
constexpr std::uint64_t kMaskReserved = bits(10, 0);

// Registers that describe the first MiB, eight ranges each.
struct Segment {
  std::uint32_t first_msr;
  std::uint32_t registers;
  std::uint64_t start;
  std::uint64_t unit;
  unsigned first_index;
};
constexpr unsigned kPerRegister = 8;
constexpr Segment kSegments[] = {{0x250, 1, 0, 0x10000, 0},
                                 {0x258, 2, 0x80000, 0x4000, 8},
                                 {0x268, 8, 0xc0000, 0x1000, 24}};

const Segment* segment_of_msr(std::uint32_t msr) {
  for (const Segment& segment : kSegments) {
    if (msr - segment.first_msr < segment.registers) return &segment;
  }
  return nullptr;
}

bool is_type(std::uint64_t type) {
  constexpr unsigned kKnown = 1u << 0 | 1u << 1 | 1u << 4 | 1u << 5 | 1u << 6;
  return type < 8 && (kKnown >> type & 1) != 0;
}
MemoryType type_in(std::uint64_t value) {
  return static_cast<MemoryType>(value & kTypeField);
}

// One of 0x200 to 0x20f: base and mask by turns.
constexpr std::uint32_t kVariableEnd =
    GuestMtrrs::kVariableBase + 2 * GuestMtrrs::kVariables;
bool is_variable(std::uint32_t msr) {
  return msr >= GuestMtrrs::kVariableBase && msr < kVariableEnd;
}

// Where two ranges overlap. Intel SDM vol. 3, 12.11.4.1; what it leaves
// undefined is write-back in KVM.
MemoryType combined(MemoryType a, MemoryType b) {
  if (a == b) return a;
  if (a == MemoryType::kUncached || b == MemoryType::kUncached) {
    return MemoryType::kUncached;
  }
  const auto is_cached = [](MemoryType type) {
    return type == MemoryType::kWriteThrough || type == MemoryType::kWriteBack;
  };
  return is_cached(a) && is_cached(b) ? MemoryType::kWriteThrough
                                      : MemoryType::kWriteBack;
}

}  // namespace

bool GuestMtrrs::is_on() const { return (default_ & kEnable) != 0; }
bool GuestMtrrs::has_fixed() const {
  return is_on() && (default_ & kFixedEnable) != 0;
}
MemoryType GuestMtrrs::default_type() const { return type_in(default_); }

// Bits of an address that the guest does not have.
std::uint64_t GuestMtrrs::above() const {
  return ~std::uint64_t{0} << address_bits_;
}

bool GuestMtrrs::write(std::uint32_t msr, std::uint64_t value) {
  if (is_variable(msr)) return write_variable(msr - kVariableBase, value);
  if (msr != kDefaultType) return write_fixed(msr, value);
  if ((value & ~(kTypeField | kFixedEnable | kEnable)) != 0) return false;
  if (!is_type(value & kTypeField)) return false;
  default_ = value;
  return true;
}

bool GuestMtrrs::write_fixed(std::uint32_t msr, std::uint64_t value) {
  const Segment* segment = segment_of_msr(msr);
  if (segment == nullptr) return false;
  for (unsigned i = 0; i < kPerRegister; ++i) {
    if (!is_type(value >> (8 * i) & kTypeField)) return false;
  }
  const unsigned first =
      segment->first_index + (msr - segment->first_msr) * kPerRegister;
  for (unsigned i = 0; i < kPerRegister; ++i) {
    fixed_[first + i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
  return true;
}

bool GuestMtrrs::write_variable(unsigned index, std::uint64_t value) {
  Variable& pair = variable_[index / 2];
  const bool is_mask = index % 2 != 0;
  const std::uint64_t reserved =
      above() | (is_mask ? kMaskReserved : kBaseReserved);
  if ((value & reserved) != 0) return false;
  if (!is_mask && !is_type(value & kTypeField)) return false;
  (is_mask ? pair.mask : pair.base) = value;
  return true;
}

// A mask with holes describes no range; it is taken for the least that holds
// all its frames, as KVM does.
GuestMtrrs::Span GuestMtrrs::span_of(const Variable& pair) const {
  constexpr std::uint64_t kFrame = bits(63, kPageShift);
  const std::uint64_t start = pair.base & kFrame;
  const std::uint64_t mask = (pair.mask & kFrame) | above();
  return {start, (start | ~mask) + 1, type_in(pair.base)};
}

std::vector<GuestMtrrs::Span> GuestMtrrs::variable_spans() const {
  std::vector<Span> spans;
  for (const Variable& pair : variable_) {
    if ((pair.mask & kValid) != 0) spans.push_back(span_of(pair));
  }
  std::ranges::sort(spans, {}, &Span::start);
  return spans;
}

GfnRange GuestMtrrs::range_of(std::uint32_t msr) const {
  const auto frames = [](std::uint64_t start, std::uint64_t end) {
    return GfnRange{{start >> kPageShift}, {end >> kPageShift}};
  };
  if (msr == kDefaultType) return frames(0, bit(address_bits_));
  if (!is_on()) return {};
  if (is_variable(msr)) {
    const Variable& pair = variable_[(msr - kVariableBase) / 2];
    if (pair.mask == 0) return {};  // not set up yet
    const Span span = span_of(pair);
    return frames(span.start, span.end);
  }
  const Segment* segment = segment_of_msr(msr);
  if (segment == nullptr) return {};
  const std::uint64_t bytes = segment->unit * kPerRegister;
  const std::uint64_t start =
      segment->start + (msr - segment->first_msr) * bytes;
  return frames(start, start + bytes);
}

void GuestMtrrs::Seen::add(MemoryType more) {
  is_mixed |= type && *type != more;
  type = type ? combined(*type, more) : more;
}

// Fixed ranges first, and variable ones only for what reaches beyond them.
// Whether something is left over is asked of the variable ones alone, counted
// from the very start. KVM: mtrr_for_each_mem_type().
GuestMtrrs::Seen GuestMtrrs::look(std::uint64_t start,
                                  std::uint64_t end) const {
  Seen seen;
  if (has_fixed() && start < kMiB) {
    for (const Segment& segment : kSegments) {
      for (unsigned i = 0; i < segment.registers * kPerRegister; ++i) {
        const std::uint64_t at = segment.start + i * segment.unit;
        if (at >= end || at + segment.unit <= start) continue;
        seen.add(static_cast<MemoryType>(fixed_[segment.first_index + i]));
      }
    }
    if (end <= kMiB) return seen;
  }
  std::uint64_t covered = start;
  for (const Span& span : variable_spans()) {
    if (span.end <= start || span.start >= end) continue;
    seen.add(span.type);
    seen.has_gap |= covered < span.start;
    covered = std::max(covered, span.end);
  }
  seen.has_gap |= covered < end;
  return seen;
}

MemoryType GuestMtrrs::type_of(Gfn gfn) const {
  if (!is_on()) return MemoryType::kUncached;
  const std::uint64_t start = gfn.value << kPageShift;
  return look(start, start + kPageSize).type.value_or(default_type());
}

bool GuestMtrrs::is_uniform(GfnRange frames) const {
  if (!is_on()) return true;
  const Seen seen =
      look(frames.start.value << kPageShift, frames.end.value << kPageShift);
  if (seen.is_mixed) return false;
  return !seen.type || !seen.has_gap || *seen.type == default_type();
}

}  // namespace mmu
