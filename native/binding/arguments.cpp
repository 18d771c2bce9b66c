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
  throw to_js(value.Env(),
              refusal(ErrorCode::kConfig,
                      std::string(name) + " must be an integer in [0, 2^" +
                          std::to_string(width) + "), got " +
                          value.ToString().Utf8Value()));
}

Napi::Object object(Napi::Value value, std::string_view name) {
  if (!value.IsObject()) refuse_type(value, name, "an object");
  return value.As<Napi::Object>();
}

bool boolean(Napi::Value value, std::string_view name) {
  if (!value.IsBoolean()) refuse_type(value, name, "a boolean");
  return value.As<Napi::Boolean>();
}

std::span<const std::uint8_t> bytes(Napi::Value value, std::string_view name) {
  const bool fits =
      value.IsTypedArray() &&
      value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array &&
      value.As<Napi::TypedArray>().ArrayBuffer().IsArrayBuffer();
  if (!fits)
    refuse_type(value, name, "a Uint8Array over memory that is not shared");
  const Napi::Uint8Array array = value.As<Napi::Uint8Array>();
  return {array.Data(), array.ByteLength()};
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

MemslotRegion memslot_region(Napi::Value value) {
  const Napi::Object from = object(value, "region");
  return {
      .slot = integer<std::uint32_t>(from.Get("slot"), "region.slot"),
      .flags = integer<std::uint32_t>(from.Get("flags"), "region.flags"),
      .gpa = integer<std::uint64_t>(from.Get("gpa"), "region.gpa"),
      .bytes = integer<std::uint64_t>(from.Get("bytes"), "region.bytes"),
      .hva = integer<std::uint64_t>(from.Get("hva"), "region.hva"),
      .backing = integer<std::uint8_t>(from.Get("backing"), "region.backing"),
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
