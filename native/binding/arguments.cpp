#include "binding/arguments.hpp"

#include <cmath>

#include "binding/errors.hpp"

namespace mmu::binding {
namespace {

[[noreturn]] void refuse_type(Napi::Value value, std::string_view name,
                              std::string_view expected) {
  throw wrong_type(value.Env(),
                   std::string(name) + " must be " + std::string(expected));
}

[[noreturn]] void refuse_range(Napi::Value value, std::string_view name,
                               unsigned width) {
  throw to_js(value.Env(),
              refusal(ErrorCode::kConfig,
                      std::string(name) + " must be an integer in [0, 2^" +
                          std::to_string(width) + "), got " +
                          value.ToString().Utf8Value()));
}

template <class T>
std::span<const T> array(Napi::Value value, std::string_view name,
                         napi_typedarray_type type, std::string_view expected) {
  const bool fits = value.IsTypedArray() &&
                    value.As<Napi::TypedArray>().TypedArrayType() == type &&
                    value.As<Napi::TypedArray>().ArrayBuffer().IsArrayBuffer();
  if (!fits) refuse_type(value, name, expected);
  const auto given = value.As<Napi::TypedArrayOf<T>>();
  return {given.Data(), given.ElementLength()};
}

std::size_t utf8_length(Napi::Value value) {
  std::size_t length = 0;
  napi_get_value_string_utf8(value.Env(), value, nullptr, 0, &length);
  return length;
}

}  // namespace

std::uint64_t integer_below(Napi::Value value, std::string_view name,
                            unsigned width) {
  if (!value.IsNumber()) refuse_type(value, name, "a number");
  const double number = value.As<Napi::Number>().DoubleValue();
  // Written so that NaN fails it.
  if (number >= 0 && number < std::ldexp(1.0, static_cast<int>(width)) &&
      number == std::floor(number)) {
    return static_cast<std::uint64_t>(number);
  }
  refuse_range(value, name, width);
}

std::uint64_t u64(Napi::Value value, std::string_view name) {
  if (!value.IsBigInt()) return integer<std::uint64_t>(value, name);
  bool lossless = false;
  const std::uint64_t whole = value.As<Napi::BigInt>().Uint64Value(&lossless);
  if (!lossless) refuse_range(value, name, 64);
  return whole;
}

Napi::Object object(Napi::Value value, std::string_view name) {
  if (!value.IsObject()) refuse_type(value, name, "an object");
  return value.As<Napi::Object>();
}

std::vector<Napi::Value> elements(Napi::Value value, std::string_view name,
                                  std::size_t most) {
  if (!value.IsArray() || value.As<Napi::Array>().Length() > most) {
    refuse_type(value, name,
                "an array of at most " + std::to_string(most) + " elements");
  }
  const auto array = value.As<Napi::Array>();
  // A getter may shorten the array: what is gone then is undefined.
  const std::uint32_t length = array.Length();
  std::vector<Napi::Value> read;
  for (std::uint32_t i = 0; i < length; ++i) read.push_back(array.Get(i));
  return read;
}

bool boolean(Napi::Value value, std::string_view name) {
  if (!value.IsBoolean()) refuse_type(value, name, "a boolean");
  return value.As<Napi::Boolean>();
}

bool flag(Napi::Value value, std::string_view name) {
  return !value.IsUndefined() && boolean(value, name);
}

std::span<const std::uint8_t> bytes(Napi::Value value, std::string_view name) {
  return array<std::uint8_t>(value, name, napi_uint8_array,
                             "a Uint8Array over memory that is not shared");
}

std::span<const std::uint64_t> words(Napi::Value value, std::string_view name) {
  return array<std::uint64_t>(
      value, name, napi_biguint64_array,
      "a BigUint64Array over memory that is not shared");
}

std::string text(Napi::Value value, std::string_view name,
                 std::size_t max_bytes) {
  if (!value.IsString()) refuse_type(value, name, "a string");
  if (utf8_length(value) > max_bytes) {
    refuse_type(value, name,
                "a string of at most " + std::to_string(max_bytes) + " bytes");
  }
  std::string bytes = value.As<Napi::String>();
  if (bytes.find('\0') != std::string::npos) {
    refuse_type(value, name, "a string without zero bytes");
  }
  return bytes;
}

namespace {

// What only the newer ioctl has may be absent. -2 and -1 stand for files that
// are none.
std::int32_t file_number(Napi::Value value) {
  constexpr const char* kName = "region.memfd";
  if (value.IsUndefined()) return MemslotRegion::kNoFile;
  if (!value.IsNumber()) refuse_type(value, kName, "a number");
  const double number = value.As<Napi::Number>().DoubleValue();
  if (number >= MemslotRegion::kOtherFile && number < 0 &&
      number == std::floor(number)) {
    return static_cast<std::int32_t>(number);
  }
  constexpr unsigned kWidth = std::numeric_limits<std::int32_t>::digits;
  return static_cast<std::int32_t>(integer_below(value, kName, kWidth));
}

std::uint64_t memfd_offset(Napi::Value value) {
  return value.IsUndefined() ? 0 : u64(value, "region.memfdOffset");
}

}  // namespace

MemslotRegion memslot_region(Napi::Value value) {
  const Napi::Object from = object(value, "region");
  return {
      .slot = integer<std::uint32_t>(from.Get("slot"), "region.slot"),
      .flags = integer<std::uint32_t>(from.Get("flags"), "region.flags"),
      .gpa = u64(from.Get("gpa"), "region.gpa"),
      .bytes = u64(from.Get("bytes"), "region.bytes"),
      .hva = u64(from.Get("hva"), "region.hva"),
      .backing = integer<std::uint8_t>(from.Get("backing"), "region.backing"),
      .memfd = file_number(from.Get("memfd")),
      .memfd_offset = memfd_offset(from.Get("memfdOffset")),
      .is_old_ioctl = flag(from.Get("isOldIoctl"), "region.isOldIoctl"),
  };
}

Event event(const Napi::CallbackInfo& info) {
  return {
      .kind = static_cast<EventKind>(integer<std::uint8_t>(info[0], "kind")),
      .access = integer<std::uint8_t>(info[4], "access"),
      .vcpu = integer<std::uint16_t>(info[3], "vcpu"),
      .gpa = integer<std::uint64_t>(info[1], "gpa"),
      .bytes = integer<std::uint64_t>(info[2], "bytes"),
  };
}

}  // namespace mmu::binding
