// Arrays out, of objects and of numbers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "binding/napi.hpp"

namespace mmu::binding {

// Through the JavaScript constructor: where memory is short it throws a
// RangeError, while napi_create_arraybuffer() ends the process.
Napi::ArrayBuffer array_buffer(Napi::Env env, std::size_t bytes);

template <class T>
Napi::TypedArrayOf<T> typed_array(Napi::Env env, std::size_t length,
                                  napi_typedarray_type type) {
  return Napi::TypedArrayOf<T>::New(
      env, length, array_buffer(env, length * sizeof(T)), 0, type);
}

// A typed array of `value(item)` for each item.
template <class T, class Items, class Value>
Napi::TypedArrayOf<T> column_of(Napi::Env env, const Items& items,
                                napi_typedarray_type type, Value value) {
  Napi::TypedArrayOf<T> made = typed_array<T>(env, items.size(), type);
  T* out = made.Data();
  for (const auto& item : items) *out++ = static_cast<T>(value(item));
  return made;
}

// An array of `convert(env, item)` for each item.
template <class Items, class Convert>
Napi::Array array_of(Napi::Env env, const Items& items, Convert convert) {
  Napi::Array made = Napi::Array::New(env, items.size());
  std::uint32_t at = 0;
  for (const auto& item : items) {
    const Napi::HandleScope scope(env);
    made.Set(at++, convert(env, item));
  }
  return made;
}

}  // namespace mmu::binding
