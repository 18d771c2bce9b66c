#include "binding/errors.hpp"

#include <algorithm>

namespace mmu::binding {
namespace {

Napi::String js_string(Napi::Env env, std::string_view text) {
  return Napi::String::New(env, text.data(), text.size());
}

void describe(Napi::Object target, const mmu::Error& error,
              std::string_view errno_name) {
  const Napi::Env env = target.Env();
  Napi::Object values = Napi::Object::New(env);
  for (const ErrorValue& value : error.values) {
    if (value.key.empty()) continue;
    values.Set(js_string(env, value.key),
               Napi::Number::New(env, static_cast<double>(value.value)));
  }
  target.Set("code", js_string(env, info(error.code).name));
  target.Set("errno", js_string(env, errno_name));
  target.Set("values", values);
}

}  // namespace

mmu::Error refusal(ErrorCode code, std::string detail,
                   std::initializer_list<ErrorValue> values) {
  mmu::Error error{.code = code, .detail = std::move(detail)};
  std::copy(values.begin(), values.end(), error.values.begin());
  return error;
}

mmu::Error with_value(mmu::Error error, ErrorValue value) {
  const auto place = std::find_if(
      error.values.begin(), error.values.end(), [&](const ErrorValue& old) {
        return old.key.empty() || old.key == value.key;
      });
  if (place != error.values.end()) *place = value;
  return error;
}

Napi::Error to_js(Napi::Env env, const mmu::Error& error) {
  const std::string message = error.message();
  Napi::Error made = error.code == ErrorCode::kConfig
                         ? Napi::RangeError::New(env, message)
                         : Napi::Error::New(env, message);
  describe(made.Value(), error, info(error.code).errno_name);
  return made;
}

Napi::Error wrong_type(Napi::Env env, const std::string& sentence) {
  Napi::Error made = Napi::TypeError::New(env, sentence);
  describe(made.Value(), refusal(ErrorCode::kConfig, {}), {});
  return made;
}

Napi::Error to_js(Napi::Env env, const Failure& failure) {
  const mmu::Error* error = std::get_if<mmu::Error>(&failure);
  return error ? to_js(env, *error) : std::get<Napi::Error>(failure);
}

CallerError::CallerError(Napi::Env env)
    : object_(Napi::Persistent(Napi::Error::New(env, "").Value())) {}

Napi::Value CallerError::become(const mmu::Error& error) const {
  const Napi::Env env = object_.Env();
  Napi::Object object = object_.Value();
  const Napi::String message = js_string(env, error.message());
  // V8 wrote the heading of the stack when there was no message yet.
  const Napi::Value stack = object.Get("stack");
  object.Set("message", message);
  if (stack.IsString()) {
    const std::string text = stack.As<Napi::String>();
    const std::size_t frames = std::min(text.find('\n'), text.size());
    object.Set("stack", "Error: " + error.message() + text.substr(frames));
  }
  describe(object, error, info(error.code).errno_name);
  return object;
}

}  // namespace mmu::binding
