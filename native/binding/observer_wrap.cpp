#include "binding/observer_wrap.hpp"

#include <algorithm>
#include <span>

#include "binding/arguments.hpp"
#include "binding/arrays.hpp"
#include "binding/columns.hpp"
#include "binding/errors.hpp"
#include "binding/exports.hpp"
#include "binding/values.hpp"
#include "observe/event.hpp"

namespace mmu::binding {
namespace {

Napi::Object to_js(Napi::Env env, const observe::Malformed& malformed) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("count", binding::to_js(env, malformed.count));
  made.Set("firstLine", binding::to_js(env, malformed.first_line));
  made.Set("expected",
           binding::to_js(env, std::string_view(malformed.expected)));
  return made;
}

Napi::Value to_js(Napi::Env env, const observe::Event& event) {
  Napi::Object made = Napi::Object::New(env);
  const std::span<const std::string_view> fields(event.fields);
  made.Set("name", binding::to_js(env, event.name));
  made.Set("fields", binding::to_js(env, fields));
  return made;
}

}  // namespace

Napi::Function ObserverWrap::define(Napi::Env env) {
  return DefineClass(
      env, kClassName,
      {method_of<ObserverWrap, &ObserverWrap::observe>("observe"),
       method_of<ObserverWrap, &ObserverWrap::totals>("totals"),
       method_of<ObserverWrap, &ObserverWrap::texts>("texts")});
}

ObserverWrap::ObserverWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  info.This().As<Napi::Object>().TypeTag(&kTag);
}

Napi::Value ObserverWrap::observe(const Napi::CallbackInfo& info) {
  const auto offset = integer<std::uint64_t>(info[1], "offset");
  const bool last = boolean(info[2], "last");
  const Block block(info[3], "rows");
  const auto capacity = integer<std::uint32_t>(info[4], "capacity");
  // After everything that may run JavaScript, as the bytes could move.
  const auto chunk = bytes(info[0], "chunk");
  if (offset > chunk.size()) {
    throw to_js(Env(),
                refusal(ErrorCode::kConfig, "offset is past the chunk's end"));
  }
  observe::Columns out =
      observe::columns_in(block.rows(capacity, observe::kRowBytes), capacity);
  const std::size_t consumed =
      observer_.observe(chunk.subspan(offset), last, out);
  Napi::Object made = Napi::Object::New(Env());
  made.Set("consumed", to_js(Env(), std::uint64_t{consumed}));
  made.Set("count", to_js(Env(), std::uint64_t{out.count}));
  return made;
}

Napi::Value ObserverWrap::totals(const Napi::CallbackInfo&) {
  const observe::ObserverTotals& totals = observer_.totals();
  Napi::Object skipped = Napi::Object::New(Env());
  for (const auto& [name, count] : totals.skipped) {
    skipped.Set(name, to_js(Env(), count));
  }
  Napi::Object malformed = Napi::Object::New(Env());
  for (const auto& [name, each] : totals.malformed) {
    malformed.Set(name, to_js(Env(), each));
  }
  Napi::Object made = Napi::Object::New(Env());
  made.Set("bytes", to_js(Env(), totals.bytes));
  made.Set("lines", to_js(Env(), totals.lines));
  made.Set("events", to_js(Env(), totals.events));
  made.Set("skipped", skipped);
  made.Set("malformed", malformed);
  return made;
}

Napi::Value ObserverWrap::texts(const Napi::CallbackInfo& info) {
  const auto from = integer<std::uint32_t>(info[0], "from");
  const std::span<const std::string> all(observer_.texts().all());
  return array_of(
      Env(), all.subspan(std::min<std::size_t>(from, all.size())),
      [](Napi::Env env, std::string_view text) { return to_js(env, text); });
}

Napi::Value observed_events(const Napi::CallbackInfo& info) {
  return array_of(info.Env(), observe::events(),
                  [](Napi::Env env, const observe::Event& event) {
                    return to_js(env, event);
                  });
}

}  // namespace mmu::binding
