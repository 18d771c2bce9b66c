// A guest's registers and memory, and where its tables lead.
//
// Registers cross as words, in the order of lib/native/guest-types.ts.
#include "binding/arguments.hpp"
#include "binding/arrays.hpp"
#include "binding/choices.hpp"
#include "binding/errors.hpp"
#include "binding/values.hpp"
#include "binding/vm_wrap.hpp"

namespace mmu::binding {
namespace {

constexpr std::size_t kRegisters = 7;
constexpr std::size_t kEptWords = 2;
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;

Napi::Error wrong(Napi::Env env, std::string_view name,
                  std::string_view expected) {
  return Napi::TypeError::New(
      env, std::string(name) + ": expected " + std::string(expected));
}

std::span<const std::uint64_t> words_of(Napi::Value value,
                                        std::string_view name,
                                        std::size_t count) {
  const std::span<const std::uint64_t> given = words(value, name);
  if (given.size() == count) return given;
  throw wrong(value.Env(), name, std::to_string(count) + " words");
}

GuestRegisters registers(Napi::Value value, std::string_view name) {
  const std::span<const std::uint64_t> given =
      words_of(value, name, kRegisters);
  if (!fits(given[5], 32) || given[6] > 1) {
    throw wrong(value.Env(), name, "PKRU of 32 bits, and CS.L 0 or 1");
  }
  return {.cr0 = given[0],
          .cr3 = given[1],
          .cr4 = given[2],
          .efer = given[3],
          .rflags = given[4],
          .pkru = static_cast<std::uint32_t>(given[5]),
          .code64 = given[6] == 1};
}

EptControls ept_controls(Napi::Value value) {
  const std::span<const std::uint64_t> given =
      words_of(value, "nested", kEptWords);
  return {.eptp = given[0],
          .has_2m = (given[1] & 1) != 0,
          .has_1g = (given[1] & 2) != 0,
          .has_execute_only = (given[1] & 4) != 0};
}

NestedPaging nested_paging(Napi::Value kind, Napi::Value value) {
  NestedPaging made{.kind = static_cast<NestedPaging::Kind>(
                        index_of(kind, "kind", kNestedNames))};
  if (made.kind == NestedPaging::Kind::kEpt) made.ept = ept_controls(value);
  if (made.kind == NestedPaging::Kind::kNpt) {
    made.npt = registers(value, "nested");
  }
  return made;
}

Napi::Value big(Napi::Env env, std::uint64_t word) {
  return Napi::BigInt::New(env, word);
}

Napi::Value to_js(Napi::Env env, const std::vector<GuestReference>& trail) {
  std::vector<std::uint64_t> words;
  words.reserve(trail.size() * 4);
  for (const GuestReference& each : trail) {
    words.insert(words.end(), {each.gpa, each.entry, each.level,
                               std::uint64_t{each.is_second_level}});
  }
  return binding::to_js(env, std::span<const std::uint64_t>(words));
}

Napi::Object to_js(Napi::Env env, const GuestTranslation& found) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("ended", static_cast<std::uint32_t>(found.ended));
  made.Set("level", std::uint32_t{found.level});
  made.Set("granted", std::uint32_t{found.granted});
  made.Set("gpa", big(env, found.gpa));
  made.Set("errorCode", big(env, found.fault.error_code));
  made.Set("address", big(env, found.fault.address));
  made.Set("nested", found.fault.nested);
  made.Set("qualification", big(env, found.fault.qualification));
  return made;
}

// Bytes of a row, and where its columns start, by the rows of the block:
// lib/columns/translation-batch.ts.
constexpr std::size_t kRowBytes = 8 + 8 + 4 + 3;

TranslationColumns columns(Napi::Value value, std::size_t capacity,
                           std::size_t count) {
  const std::span<const std::uint8_t> block = bytes(value, "block");
  const auto start = reinterpret_cast<std::uintptr_t>(block.data());
  if (count > capacity || capacity > block.size() / kRowBytes ||
      start % sizeof(double) != 0) {
    throw wrong(value.Env(), "block", "aligned columns for so many rows");
  }
  // JavaScript's own memory, which this call alone uses.
  auto* at = const_cast<std::uint8_t*>(block.data());
  const auto column = [&](std::size_t bytes_before) {
    return at + bytes_before * capacity;
  };
  return {.gva = reinterpret_cast<const std::uint64_t*>(column(0)),
          .gpa = reinterpret_cast<double*>(column(8)),
          .error_code = reinterpret_cast<std::uint32_t*>(column(16)),
          .ended = column(20),
          .level = column(21),
          .granted = column(22),
          .count = count};
}

void throw_if(Napi::Env env, const std::optional<mmu::Error>& error) {
  if (error) throw binding::to_js(env, *error);
}

}  // namespace

Napi::Value VmWrap::set_guest_cpuid(const Napi::CallbackInfo& info) {
  const auto vcpu = integer<std::uint32_t>(info[0], "vcpu");
  GuestCpuid cpuid{.is_amd = boolean(info[2], "isAmd"),
                   .features = integer<std::uint32_t>(info[3], "features")};
  if (!info[1].IsUndefined()) {
    cpuid.maxphyaddr = integer<std::uint8_t>(info[1], "maxphyaddr");
  }
  throw_if(Env(), machine().set_guest_cpuid(vcpu, cpuid));
  return {};
}

Napi::Value VmWrap::set_guest_registers(const Napi::CallbackInfo& info) {
  const auto vcpu = integer<std::uint32_t>(info[0], "vcpu");
  const GuestRegisters asked = registers(info[1], "registers");
  const bool flags_alone = boolean(info[2], "flagsAlone");
  throw_if(Env(), machine().set_guest_registers(vcpu, asked, flags_alone));
  return {};
}

Napi::Value VmWrap::guest_registers(const Napi::CallbackInfo& info) {
  const auto vcpu = integer<std::uint32_t>(info[0], "vcpu");
  const GuestRegisters now = take(Env(), machine().guest_registers(vcpu));
  const std::array<std::uint64_t, kRegisters> words{
      now.cr0, now.cr3, now.cr4, now.efer, now.rflags, now.pkru, now.code64};
  return binding::to_js(Env(), std::span<const std::uint64_t>(words));
}

Napi::Value VmWrap::load_guest_cr3(const Napi::CallbackInfo& info) {
  const auto vcpu = integer<std::uint32_t>(info[0], "vcpu");
  throw_if(Env(), machine().load_guest_cr3(vcpu, u64(info[1], "cr3")));
  return {};
}

Napi::Value VmWrap::set_nested_paging(const Napi::CallbackInfo& info) {
  const auto vcpu = integer<std::uint32_t>(info[0], "vcpu");
  const NestedPaging asked = nested_paging(info[1], info[2]);
  throw_if(Env(), machine().set_nested_paging(vcpu, asked));
  return {};
}

Napi::Value VmWrap::write_guest_memory(const Napi::CallbackInfo& info) {
  const std::uint64_t gpa = u64(info[0], "gpa");
  const std::span<const std::uint8_t> from = bytes(info[1], "bytes");
  throw_if(Env(), machine().write_guest_memory(gpa, std::as_bytes(from)));
  return {};
}

Napi::Value VmWrap::read_guest_memory(const Napi::CallbackInfo& info) {
  const std::uint64_t gpa = u64(info[0], "gpa");
  const auto length = integer<std::uint32_t>(info[1], "bytes");
  if (length > kMostBytes) throw wrong(Env(), "bytes", "at most 2^30");
  auto made = typed_array<std::uint8_t>(Env(), length, napi_uint8_array);
  const std::span<std::uint8_t> to(made.Data(), length);
  throw_if(Env(), machine().read_guest_memory(gpa, std::as_writable_bytes(to)));
  return made;
}

Napi::Value VmWrap::translate(const Napi::CallbackInfo& info) {
  const auto vcpu = integer<std::uint32_t>(info[0], "vcpu");
  const std::uint64_t address = u64(info[1], "address");
  const std::uint64_t access = u64(info[2], "access");
  std::vector<GuestReference> trail;
  const bool is_wanted = boolean(info[3], "references");
  const GuestTranslation found = take(
      Env(),
      machine().translate(vcpu, address, access, is_wanted ? &trail : nullptr));
  Napi::Object made = to_js(Env(), found);
  if (is_wanted) made.Set("references", to_js(Env(), trail));
  return made;
}

Napi::Value VmWrap::translate_batch(const Napi::CallbackInfo& info) {
  const auto vcpu = integer<std::uint32_t>(info[0], "vcpu");
  const std::uint64_t access = u64(info[1], "access");
  const auto capacity = integer<std::uint32_t>(info[3], "capacity");
  const auto count = integer<std::uint32_t>(info[4], "count");
  const TranslationColumns rows = columns(info[2], capacity, count);
  throw_if(Env(), answer(Env(), [&] {
             return machine().translate_batch(vcpu, access, rows);
           }));
  return {};
}

Napi::Value VmWrap::address_by_gva(const Napi::CallbackInfo& info) {
  throw_if(Env(), machine().address_by_gva(boolean(info[0], "byGva")));
  return {};
}

Napi::Value VmWrap::access_gva(const Napi::CallbackInfo& info) {
  const Event event{.access = integer<std::uint8_t>(info[2], "access"),
                    .vcpu = integer<std::uint16_t>(info[0], "vcpu"),
                    .gpa = u64(info[1], "gva")};
  const Outcome out =
      take(Env(), answer(Env(), [&] { return machine().step(event); }));
  weigh();
  return binding::to_js(Env(), out);
}

Napi::Value VmWrap::guest_fault(const Napi::CallbackInfo& info) {
  const auto vcpu = integer<std::uint32_t>(info[0], "vcpu");
  const std::optional<GuestFault> fault = machine().guest_fault(vcpu);
  if (!fault) return Env().Undefined();
  return to_js(Env(), GuestTranslation{.ended = GuestTranslation::Ended::kFault,
                                       .fault = *fault});
}

}  // namespace mmu::binding
