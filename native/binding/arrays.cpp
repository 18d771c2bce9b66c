#include "binding/arrays.hpp"

#include "binding/errors.hpp"

namespace mmu::binding {

Napi::ArrayBuffer array_buffer(Napi::Env env, std::size_t bytes) {
  const Napi::Function constructor =
      env.Global().Get("ArrayBuffer").As<Napi::Function>();
  const Napi::Object made =
      constructor.New({Napi::Number::New(env, static_cast<double>(bytes))});
  if (!made.IsArrayBuffer() ||
      made.As<Napi::ArrayBuffer>().ByteLength() != bytes) {
    throw to_js(env, refusal(ErrorCode::kInternal, "ArrayBuffer is replaced"));
  }
  return made.As<Napi::ArrayBuffer>();
}

}  // namespace mmu::binding
