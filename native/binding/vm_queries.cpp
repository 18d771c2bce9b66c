// What a VM answers and does not change.
#include "binding/arguments.hpp"
#include "binding/errors.hpp"
#include "binding/values.hpp"
#include "binding/vm_wrap.hpp"

namespace mmu::binding {

Napi::Value VmWrap::memslot(const Napi::CallbackInfo& info) {
  const auto slot = integer<std::uint32_t>(info[0], "slot");
  const auto found = machine().memslot(slot);
  return found ? Napi::Value(to_js(Env(), *found)) : Env().Undefined();
}

Napi::Value VmWrap::memslots(const Napi::CallbackInfo&) {
  return to_js(Env(), machine().memslots());
}

Napi::Value VmWrap::generation(const Napi::CallbackInfo& info) {
  const auto as_id = integer<std::uint32_t>(info[0], "asId");
  const unsigned count = machine().address_spaces();
  if (as_id < count) return to_js(Env(), machine().generation(as_id));
  throw to_js(Env(), refusal(ErrorCode::kMemslotAddressSpace, {},
                             {{"as", as_id}, {"count", count}}));
}

Napi::Value VmWrap::walk(const Napi::CallbackInfo& info) {
  const auto gpa = integer<std::uint64_t>(info[0], "gpa");
  return to_js(Env(), take(Env(), machine().walk(gpa)));
}

Napi::Value VmWrap::page(const Napi::CallbackInfo& info) {
  const auto gpa = integer<std::uint64_t>(info[0], "gpa");
  return to_js(Env(), take(Env(), machine().page(gpa)));
}

Napi::Value VmWrap::rmap(const Napi::CallbackInfo& info) {
  const auto gpa = integer<std::uint64_t>(info[0], "gpa");
  return to_js(Env(), take(Env(), machine().rmap(gpa)));
}

Napi::Value VmWrap::leaves(const Napi::CallbackInfo& info) {
  const bool mmio = boolean(info[0], "mmio");
  return to_js(Env(), machine().leaves(mmio));
}

Napi::Value VmWrap::stats(const Napi::CallbackInfo&) {
  return to_js(Env(), machine().stats());
}

Napi::Value VmWrap::vcpu_stats(const Napi::CallbackInfo& info) {
  const auto vcpu = integer<std::uint32_t>(info[0], "vcpu");
  return to_js(Env(), take(Env(), machine().stats(vcpu)));
}

Napi::Value VmWrap::dirty_rounds(const Napi::CallbackInfo&) {
  return to_js(Env(), machine().dirty_rounds());
}

Napi::Value VmWrap::tables(const Napi::CallbackInfo&) {
  return to_js(Env(), machine().tables());
}

Napi::Value VmWrap::table_list(const Napi::CallbackInfo&) {
  return to_js(Env(), machine().table_list());
}

Napi::Value VmWrap::leaf_counts(const Napi::CallbackInfo&) {
  return to_js(Env(), machine().alias_leaves());
}

Napi::Value VmWrap::rmap_count(const Napi::CallbackInfo& info) {
  const auto gpa = integer<std::uint64_t>(info[0], "gpa");
  return to_js(Env(), take(Env(), machine().rmap_count(gpa)));
}

Napi::Value VmWrap::is_private(const Napi::CallbackInfo& info) {
  const auto gpa = integer<std::uint64_t>(info[0], "gpa");
  const bool found = take(Env(), machine().is_private(gpa));
  return Napi::Boolean::New(Env(), found);
}

Napi::Value VmWrap::flushes(const Napi::CallbackInfo&) {
  return to_js(Env(), machine().flushes());
}

Napi::Value VmWrap::violations(const Napi::CallbackInfo&) {
  return to_js(Env(), machine().violations());
}

Napi::Value VmWrap::advisories(const Napi::CallbackInfo&) {
  return to_js(Env(), machine().advisories());
}

Napi::Value VmWrap::judged(const Napi::CallbackInfo&) {
  return to_js(Env(), machine().judged());
}

Napi::Value VmWrap::audit(const Napi::CallbackInfo&) {
  return to_js(Env(), machine().audit());
}

// It has a say in what violations() answers, and in nothing else.
Napi::Value VmWrap::audit_every(const Napi::CallbackInfo& info) {
  const auto events = integer<std::uint64_t>(info[0], "events");
  machine().audit_every(events);
  return {};
}

Napi::Value VmWrap::coexisting(const Napi::CallbackInfo&) {
  return to_js(Env(), machine().coexisting());
}

Napi::Value VmWrap::conversions(const Napi::CallbackInfo&) {
  return to_js(Env(), machine().conversions());
}

}  // namespace mmu::binding
