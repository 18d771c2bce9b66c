#include "binding/live_kvm_values.hpp"

#include <uv.h>

#include <cerrno>
#include <limits>

#include "binding/arguments.hpp"
#include "binding/errors.hpp"
#include "binding/values.hpp"

namespace mmu::binding {
namespace {

// Of a CpuidEntry, as JavaScript gives it.
constexpr std::size_t kWords = 7;
// KVM_MAX_CPUID_ENTRIES.
constexpr std::size_t kMostEntries = 256;

std::int32_t file_number(Napi::Value value) {
  constexpr const char* kName = "region.memfd";
  if (value.IsNumber() && value.As<Napi::Number>().DoubleValue() < 0) {
    const double number = value.As<Napi::Number>().DoubleValue();
    if (number == -1 || number == kvm::Region::kOtherFile) {
      return static_cast<std::int32_t>(number);
    }
  }
  constexpr unsigned kWidth = std::numeric_limits<std::int32_t>::digits;
  return static_cast<std::int32_t>(integer_below(value, kName, kWidth));
}

}  // namespace

kvm::Region live_region(Napi::Value value) {
  const Napi::Object from = object(value, "region");
  return {
      .slot = integer<std::uint32_t>(from.Get("slot"), "region.slot"),
      .flags = integer<std::uint32_t>(from.Get("flags"), "region.flags"),
      .gpa = u64(from.Get("gpa"), "region.gpa"),
      .bytes = u64(from.Get("bytes"), "region.bytes"),
      .hva = u64(from.Get("hva"), "region.hva"),
      .is_old_ioctl = boolean(from.Get("isOldIoctl"), "region.isOldIoctl"),
      .memfd = file_number(from.Get("memfd")),
      .memfd_offset = u64(from.Get("memfdOffset"), "region.memfdOffset"),
  };
}

kvm::Registers live_registers(Napi::Value value) {
  const Napi::Object from = object(value, "registers");
  return {
      .cr0 = u64(from.Get("cr0"), "registers.cr0"),
      .cr3 = u64(from.Get("cr3"), "registers.cr3"),
      .cr4 = u64(from.Get("cr4"), "registers.cr4"),
      .efer = u64(from.Get("efer"), "registers.efer"),
      .is_code64 = boolean(from.Get("code64"), "registers.code64"),
  };
}

std::vector<kvm::CpuidEntry> cpuid_entries(Napi::Value value) {
  const bool fits =
      value.IsTypedArray() &&
      value.As<Napi::TypedArray>().TypedArrayType() == napi_uint32_array &&
      value.As<Napi::TypedArray>().ElementLength() % kWords == 0 &&
      value.As<Napi::TypedArray>().ElementLength() <= kWords * kMostEntries;
  if (!fits) {
    throw wrong_type(value.Env(),
                     "words must be a Uint32Array of 7 words an entry, of at "
                     "most 256 entries");
  }
  const auto words = value.As<Napi::Uint32Array>();
  std::vector<kvm::CpuidEntry> entries;
  for (std::size_t at = 0; at < words.ElementLength(); at += kWords) {
    entries.push_back({words[at], words[at + 1], words[at + 2], words[at + 3],
                       words[at + 4], words[at + 5], words[at + 6]});
  }
  return entries;
}

Napi::Value to_js(Napi::Env env, const kvm::Registers& registers) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("cr0", Napi::BigInt::New(env, registers.cr0));
  made.Set("cr3", Napi::BigInt::New(env, registers.cr3));
  made.Set("cr4", Napi::BigInt::New(env, registers.cr4));
  made.Set("efer", Napi::BigInt::New(env, registers.efer));
  made.Set("code64", Napi::Boolean::New(env, registers.is_code64));
  return made;
}

Napi::Value outcome_of(Napi::Env env, kvm::Errno error) {
  if (error == 0) return to_js(env, std::string_view("0"));
  // One number on Linux; KVM's documentation and the vectors say it this way.
  if (error == EOPNOTSUPP) return to_js(env, std::string_view("EOPNOTSUPP"));
  return to_js(env,
               std::string_view(uv_err_name(uv_translate_sys_error(error))));
}

}  // namespace mmu::binding
