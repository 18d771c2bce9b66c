#include "binding/catalogue.hpp"

#include <span>

#include "binding/arguments.hpp"
#include "binding/errors.hpp"
#include "binding/values.hpp"
#include "core/machine.hpp"
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

Napi::Array names(Napi::Env env, std::span<const std::string_view> from) {
  Napi::Array made = Napi::Array::New(env, from.size());
  for (std::uint32_t i = 0; i < from.size(); ++i) {
    made.Set(i, to_js(env, from[i]));
  }
  return made;
}

// Anything with a name and a summary.
template <class T>
Napi::Array summaries(Napi::Env env, const std::vector<T>& items) {
  Napi::Array made = Napi::Array::New(env, items.size());
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    Napi::Object item = Napi::Object::New(env);
    item.Set("name", to_js(env, items[i].name));
    item.Set("summary", to_js(env, items[i].summary));
    made.Set(i, item);
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
  made.Set("eventKinds", names(env, kEventKindNames));
  made.Set("outcomes", names(env, kOutcomeNames));
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

Napi::Value strategies(const Napi::CallbackInfo& info) {
  return summaries(info.Env(), mmu::strategies());
}

Napi::Value formats(const Napi::CallbackInfo& info) {
  return summaries(info.Env(), trace::formats());
}

Napi::Value detect_format(const Napi::CallbackInfo& info) {
  return to_js(info.Env(), trace::detect_format(bytes(info[0], "head")));
}

}  // namespace mmu::binding
