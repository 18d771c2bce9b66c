// What a VMM asks of KVM beside slots: dirty logs and rings, capabilities,
// vCPUs, files of private memory, guest memory that KVM itself touches.
#include "binding/arguments.hpp"
#include "binding/arrays.hpp"
#include "binding/errors.hpp"
#include "binding/values.hpp"
#include "binding/vm_wrap.hpp"

namespace mmu::binding {
namespace {

Napi::Object to_js(Napi::Env env, const std::vector<DirtyRingEntry>& entries) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("slot",
           column_of<std::uint32_t>(env, entries, napi_uint32_array,
                                    [](auto& entry) { return entry.slot; }));
  made.Set("page", column_of<double>(env, entries, napi_float64_array,
                                     [](auto& entry) { return entry.page; }));
  return made;
}

Napi::Object to_js(Napi::Env env, const GuestTransfer& transfer) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("bytesDone", binding::to_js(env, transfer.bytes_done));
  made.Set("faulted", transfer.faulted);
  made.Set("hva", column_of<double>(env, transfer.pieces, napi_float64_array,
                                    [](auto& piece) { return piece.hva; }));
  made.Set("bytes", column_of<double>(env, transfer.pieces, napi_float64_array,
                                      [](auto& piece) { return piece.bytes; }));
  return made;
}

void throw_if(Napi::Env env, const std::optional<mmu::Error>& error) {
  if (error) throw binding::to_js(env, *error);
}

// Null: a buffer that is not mapped.
std::vector<std::uint64_t> words_or_null(Napi::Value value,
                                         std::string_view name) {
  if (value.IsNull()) return {};
  const std::span<const std::uint64_t> given = words(value, name);
  return {given.begin(), given.end()};
}

}  // namespace

Napi::Value VmWrap::set_mtrr(const Napi::CallbackInfo& info) {
  const auto msr = integer<std::uint32_t>(info[0], "msr");
  const std::uint64_t value = u64(info[1], "value");
  return binding::to_js(Env(), take(Env(), machine().set_mtrr(msr, value)));
}

Napi::Value VmWrap::dirty_log(const Napi::CallbackInfo& info) {
  const auto slot = integer<std::uint32_t>(info[0], "slot");
  const bool peek = boolean(info[1], "peek");
  const bool copy_fails = flag(info[2], "copyFails");
  const std::vector<std::uint64_t> log =
      take(Env(), machine().dirty_log(slot, peek, copy_fails));
  return binding::to_js(Env(), std::span(log));
}

Napi::Value VmWrap::clear_dirty_log(const Napi::CallbackInfo& info) {
  const DirtyLogClear clear{.slot = integer<std::uint32_t>(info[0], "slot"),
                            .first_page = u64(info[1], "firstPage"),
                            .pages = integer<std::uint32_t>(info[2], "pages")};
  const std::vector<std::uint64_t> bitmap = words_or_null(info[3], "bitmap");
  return binding::to_js(Env(),
                        take(Env(), machine().clear_dirty_log(clear, bitmap)));
}

Napi::Value VmWrap::collect_ring(const Napi::CallbackInfo& info) {
  const auto vcpu = integer<std::uint32_t>(info[0], "vcpu");
  const auto most = integer<std::uint64_t>(info[1], "most");
  return to_js(Env(), take(Env(), machine().collect_ring(vcpu, most)));
}

Napi::Value VmWrap::reset_rings(const Napi::CallbackInfo&) {
  const RingReset reset = take(Env(), machine().reset_rings());
  Napi::Object made = binding::to_js(Env(), reset.outcome);
  made.Set("entries", binding::to_js(Env(), reset.entries));
  return made;
}

Napi::Value VmWrap::enable_cap(const Napi::CallbackInfo& info) {
  const auto cap = integer<std::uint32_t>(info[0], "cap");
  const auto flags = integer<std::uint32_t>(info[1], "flags");
  const auto arg0 = u64(info[2], "arg0");
  throw_if(Env(), machine().enable_cap(cap, flags, arg0));
  return Env().Undefined();
}

Napi::Value VmWrap::disable_quirks(const Napi::CallbackInfo& info) {
  const auto mask = u64(info[0], "mask");
  throw_if(Env(), machine().disable_quirks(mask));
  return Env().Undefined();
}

Napi::Value VmWrap::create_vcpu(const Napi::CallbackInfo& info) {
  const auto id = integer<std::uint32_t>(info[0], "id");
  const std::uint64_t number = take(Env(), machine().create_vcpu(id));
  return binding::to_js(Env(), number);
}

Napi::Value VmWrap::create_guest_memfd(const Napi::CallbackInfo& info) {
  const auto bytes = u64(info[0], "bytes");
  const auto flags = u64(info[1], "flags");
  const std::int32_t file =
      take(Env(), machine().create_guest_memfd(bytes, flags));
  return Napi::Number::New(Env(), file);
}

Napi::Value VmWrap::guest_write(const Napi::CallbackInfo& info) {
  const auto vcpu = integer<std::uint16_t>(info[0], "vcpu");
  const auto gpa = u64(info[1], "gpa");
  const auto bytes = integer<std::uint64_t>(info[2], "bytes");
  return to_js(Env(), take(Env(), machine().guest_write(vcpu, gpa, bytes)));
}

Napi::Value VmWrap::guest_read(const Napi::CallbackInfo& info) {
  const auto gpa = u64(info[0], "gpa");
  const auto bytes = u64(info[1], "bytes");
  return to_js(Env(), take(Env(), machine().guest_read(gpa, bytes)));
}

}  // namespace mmu::binding
