#include "binding/catalogue.hpp"

#include <span>

#include "binding/arguments.hpp"
#include "binding/errors.hpp"
#include "binding/values.hpp"
#include "core/event.hpp"
#include "trace/decoder.hpp"

namespace mmu::binding {
namespace {

std::string_view name_of(ColumnType type) {
  return type == ColumnType::kF64   ? "f64"
         : type == ColumnType::kU32 ? "u32"
         : type == ColumnType::kU16 ? "u16"
                                    : "u8";
}

Napi::Array columns(Napi::Env env, std::span<const ColumnInfo> layout) {
  Napi::Array made = Napi::Array::New(env, layout.size());
  for (std::uint32_t i = 0; i < layout.size(); ++i) {
    Napi::Object column = Napi::Object::New(env);
    column.Set("name", to_js(env, layout[i].name));
    column.Set("type", to_js(env, name_of(layout[i].type)));
    made.Set(i, column);
  }
  return made;
}

}  // namespace

Napi::Value layout(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object made = Napi::Object::New(env);
  made.Set("version", kLayoutVersion);
  made.Set("event", columns(env, kEventLayout));
  made.Set("extra", columns(env, kExtraLayout));
  made.Set("outcome", columns(env, kOutcomeLayout));
  made.Set("eventKinds", to_js(env, std::span(kEventKindNames)));
  made.Set("outcomes", to_js(env, std::span(kOutcomeNames)));
  made.Set("flushScopes", to_js(env, std::span(kFlushScopeNames)));
  return made;
}

Napi::Value errors(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto count = static_cast<std::uint32_t>(ErrorCode::kCount);
  Napi::Array made = Napi::Array::New(env, count);
  for (std::uint32_t code = 0; code < count; ++code) {
    const ErrorInfo& row = mmu::info(static_cast<ErrorCode>(code));
    Napi::Object error = Napi::Object::New(env);
    error.Set("name", to_js(env, row.name));
    error.Set("errno", to_js(env, row.errno_name));
    error.Set("sentence", to_js(env, row.sentence));
    made.Set(code, error);
  }
  return made;
}

Napi::Value formats(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto items = trace::formats();
  Napi::Array made = Napi::Array::New(env, items.size());
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    Napi::Object item = Napi::Object::New(env);
    item.Set("name", to_js(env, items[i].name));
    item.Set("summary", to_js(env, items[i].summary));
    made.Set(i, item);
  }
  return made;
}

Napi::Value detect_format(const Napi::CallbackInfo& info) {
  return to_js(info.Env(), trace::detect_format(bytes(info[0], "head")));
}

}  // namespace mmu::binding
