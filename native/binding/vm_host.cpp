// What the host does to a VM beside events.
#include "binding/arguments.hpp"
#include "binding/choices.hpp"
#include "binding/errors.hpp"
#include "binding/values.hpp"
#include "binding/vm_wrap.hpp"

namespace mmu::binding {
namespace {

// hva, bytes, state, pfn or undefined, level, reset.
HostMappingRequest host_mapping(const Napi::CallbackInfo& info) {
  HostMappingRequest request{.hva = integer<std::uint64_t>(info[0], "hva"),
                             .bytes = integer<std::uint64_t>(info[1], "bytes"),
                             .state = static_cast<HostState>(
                                 index_of(info[2], "state", kHostStateNames)),
                             .level = integer<std::uint8_t>(info[4], "level"),
                             .reset = boolean(info[5], "reset")};
  if (!info[3].IsUndefined()) {
    request.pfn = integer<std::uint64_t>(info[3], "pfn");
  }
  return request;
}

}  // namespace

Napi::Value VmWrap::set_host_mapping(const Napi::CallbackInfo& info) {
  const HostMappingRequest request = host_mapping(info);
  const std::optional<mmu::Error> refused = machine().set_host_mapping(request);
  if (refused) throw to_js(Env(), *refused);
  return {};
}

Napi::Value VmWrap::prefault(const Napi::CallbackInfo& info) {
  const auto vcpu = integer<std::uint32_t>(info[0], "vcpu");
  const std::uint64_t gpa = u64(info[1], "gpa");
  const std::uint64_t bytes = u64(info[2], "bytes");
  const PrefaultResult done = take(Env(), machine().prefault(vcpu, gpa, bytes));
  Napi::Object made = Napi::Object::New(Env());
  made.Set("bytesDone", to_js(Env(), done.bytes_done));
  made.Set("errno", to_js(Env(), done.errno_name));
  return made;
}

Napi::Value VmWrap::invalidation(const Napi::CallbackInfo&) {
  const InvalidationView view = machine().invalidation();
  Napi::Object made = Napi::Object::New(Env());
  made.Set("inProgress", to_js(Env(), view.in_progress));
  made.Set("start", to_js(Env(), view.start));
  made.Set("end", to_js(Env(), view.end));
  made.Set("sequence", to_js(Env(), view.sequence));
  return made;
}

}  // namespace mmu::binding
