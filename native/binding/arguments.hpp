// Arguments in: checked, then converted, never trusted.
//
// A number is an integer in range before it is cast, a string has a bounded
// length, a property that is missing is a sentence and not a zero. What a
// value means is for the core to judge.
//
// Reading a property can run a getter, and a getter can close the VM. So a
// method reads all its arguments first and looks at its own state after.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "binding/napi.hpp"
#include "core/machine.hpp"

namespace mmu::binding {

inline constexpr std::size_t kMaxNameBytes = 64;

// An integer in [0, 2^width), or an exception that names the argument.
std::uint64_t integer_below(Napi::Value value, std::string_view name,
                            unsigned width);

template <std::unsigned_integral T>
T integer(Napi::Value value, std::string_view name) {
  constexpr unsigned kWidth = std::numeric_limits<T>::digits;
  return static_cast<T>(integer_below(value, name, kWidth));
}

// The same of 64 bits, as a number or, since not every value above 2^53 is one,
// as a bigint.
std::uint64_t u64(Napi::Value value, std::string_view name);

Napi::Object object(Napi::Value value, std::string_view name);

// The elements of an array of at most `most`, each as it was read once.
std::vector<Napi::Value> elements(Napi::Value value, std::string_view name,
                                  std::size_t most);

bool boolean(Napi::Value value, std::string_view name);
// False where it is absent.
bool flag(Napi::Value value, std::string_view name);

// The bytes of a Uint8Array over memory that is not shared. They stay where
// they are until JavaScript runs again.
std::span<const std::uint8_t> bytes(Napi::Value value, std::string_view name);

// The same of a BigUint64Array.
std::span<const std::uint64_t> words(Napi::Value value, std::string_view name);

// UTF-8, at most `max_bytes`, without a zero byte.
std::string text(Napi::Value value, std::string_view name,
                 std::size_t max_bytes);

MemslotRegion memslot_region(Napi::Value value);
// kind, gpa, bytes, vcpu, access.
Event event(const Napi::CallbackInfo& info);

}  // namespace mmu::binding
