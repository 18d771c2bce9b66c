// What a refusal is: a code, the values that explain it, and nothing else.
//
// A refusal is data. Its name, its errno and its sentence stand in one table
// (error.cpp), so every caller shows the same words. No exception starts here;
// only std::bad_alloc comes through from below.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace mmu {

// Order is the order of the table in error.cpp; a static_assert there counts.
enum class ErrorCode : std::uint8_t {
  kConfig,
  kUnknownStrategy,
  kUnsupported,
  kMemslotId,
  kMemslotFlags,
  kMemslotSize,
  kMemslotGpa,
  kMemslotHva,
  kMemslotAddressSpace,
  kMemslotWraps,
  kMemslotTooLarge,
  kMemslotMissing,
  kMemslotImmutable,
  kMemslotOverlap,
  kMemslotBeyondMax,
  kMemslotAliased,
  kMemslotBacking,
  kMemslotBadFd,
  kMemslotMemfd,
  kGuestMemfd,
  kHostMapping,
  kNoDirtyLog,
  kDirtyLog,
  kDirtyRing,
  kNoDirtyRing,
  kCopy,
  kCapability,
  kRingTooLarge,
  kVcpu,
  kVcpuExists,
  kMmuPages,
  kMtrr,
  kRegisters,
  kGuestMemory,
  kEvent,
  kBatch,
  kClosed,
  kBusy,
  kAborted,
  kOutOfMemory,
  kTrace,
  kIo,
  kInternal,
  kCount,
};

// What the error table says of one code.
struct ErrorInfo {
  // As a program sees it: "ERR_MEMSLOT_OVERLAP".
  std::string_view name;
  // The errno that KVM would return, or empty where KVM has no such call.
  std::string_view errno_name;
  // One lower-case sentence. {key} is replaced by the value of that name in
  // hex, {key:d} in decimal.
  std::string_view sentence;
};

const ErrorInfo& info(ErrorCode code) noexcept;

struct ErrorValue {
  std::string_view key;
  std::uint64_t value = 0;
};

struct Error {
  static constexpr std::size_t kMaxValues = 6;

  ErrorCode code = ErrorCode::kInternal;
  std::array<ErrorValue, kMaxValues> values{};
  // Free text for the one {detail} of a sentence.
  std::string detail{};

  std::string message() const;
};

// As a message shows it: base 16 with 0x, or base 10.
std::string number(std::uint64_t value, int base = 16);

// A value or a refusal. std::expected is C++23; this is the part we use.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const noexcept { return state_.index() == 0; }
  T& value() { return std::get<0>(state_); }
  const T& value() const { return std::get<0>(state_); }
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

}  // namespace mmu
