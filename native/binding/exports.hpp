// How JavaScript reaches our functions and methods.
//
// Every call from JavaScript enters through one of the templates below, which
// run it under guard(); so nothing else in the binding thinks about exceptions
// on the way out. A method also makes sure that its receiver is what it takes
// it for: `this` and arguments can be any object, and node-addon-api would
// cast it unseen.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "binding/errors.hpp"
#include "binding/napi.hpp"

namespace mmu::binding {

// The wrapped T inside `value`, or a TypeError. T::kTag is random, so that no
// other addon of the process has the same one.
template <class T>
T& unwrap(Napi::Value value, std::string_view name) {
  if (value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&T::kTag)) {
    return *T::Unwrap(value.As<Napi::Object>());
  }
  throw wrong_type(value.Env(),
                   std::string(name) + " must be a " + T::kClassName);
}

using Callback = Napi::Value (*)(const Napi::CallbackInfo&);
template <class T>
using Method = Napi::Value (T::*)(const Napi::CallbackInfo&);

template <std::invocable Body>
napi_value enter(Napi::Env env, Body&& body) {
  napi_value value = nullptr;
  const auto failure = guard([&] { value = body(); });
  if (failure) to_js(env, *failure).ThrowAsJavaScriptException();
  return value;
}

template <Callback callback>
napi_value call(napi_env env, napi_callback_info raw) {
  return enter(env, [&] {
    const Napi::CallbackInfo info(env, raw);
    return callback(info);
  });
}

template <class T, Method<T> method>
napi_value call_method(napi_env env, napi_callback_info raw) {
  return enter(env, [&] {
    const Napi::CallbackInfo info(env, raw);
    return (unwrap<T>(info.This(), "this").*method)(info);
  });
}

template <class T, Method<T> method>
Napi::ClassPropertyDescriptor<T> method_of(const char* name) {
  napi_property_descriptor descriptor{};
  descriptor.utf8name = name;
  descriptor.method = call_method<T, method>;
  descriptor.attributes = napi_default_method;
  return descriptor;
}

template <class T, Method<T> getter>
Napi::ClassPropertyDescriptor<T> getter_of(const char* name) {
  napi_property_descriptor descriptor{};
  descriptor.utf8name = name;
  descriptor.getter = call_method<T, getter>;
  descriptor.attributes = napi_configurable;
  return descriptor;
}

}  // namespace mmu::binding
