#include "binding/decoder_wrap.hpp"

#include <span>

#include "binding/arguments.hpp"
#include "binding/columns.hpp"
#include "binding/errors.hpp"
#include "binding/exports.hpp"
#include "binding/values.hpp"

namespace mmu::binding {
namespace {

// Without the first `offset` bytes.
std::span<const std::uint8_t> tail(Napi::Env env,
                                   std::span<const std::uint8_t> chunk,
                                   std::uint64_t offset) {
  if (offset <= chunk.size()) return chunk.subspan(offset);
  throw to_js(env,
              refusal(ErrorCode::kConfig, "offset is past the chunk's end"));
}

}  // namespace

Napi::Function DecoderWrap::define(Napi::Env env) {
  return DefineClass(env, kClassName,
                     {method_of<DecoderWrap, &DecoderWrap::decode>("decode"),
                      method_of<DecoderWrap, &DecoderWrap::totals>("totals")});
}

DecoderWrap::DecoderWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  decoder_ = answer(info.Env(), [&] {
    const std::string format = text(info[0], "format", kMaxNameBytes);
    const std::string vendor = text(info[1], "vendor", kMaxNameBytes);
    auto made = trace::make_decoder(format, {.vendor = vendor});
    if (made) return made;
    throw to_js(info.Env(), refusal(ErrorCode::kConfig,
                                    "no trace format is called '" + format +
                                        "', or no vendor '" + vendor + "'"));
  });
  info.This().As<Napi::Object>().TypeTag(&kTag);
}

Napi::Value DecoderWrap::decode(const Napi::CallbackInfo& info) {
  const auto offset = integer<std::uint64_t>(info[1], "offset");
  const bool last = boolean(info[2], "last");
  const SinkBlock block(info, 3);
  // After everything that may run JavaScript, as the bytes could move.
  const auto chunk = tail(Env(), bytes(info[0], "chunk"), offset);
  trace::EventSink sink = block.sink();
  return to_js(Env(), decoder_->decode(chunk, last, sink), sink);
}

Napi::Value DecoderWrap::totals(const Napi::CallbackInfo&) {
  return to_js(Env(), decoder_->totals());
}

Napi::Object to_js(Napi::Env env, const trace::DecodeStep& step,
                   const trace::EventSink& sink) {
  if (step.failed) {
    throw to_js(env, with_value(step.error, {"count", sink.count}));
  }
  Napi::Object made = Napi::Object::New(env);
  made.Set("consumed", to_js(env, std::uint64_t{step.consumed}));
  made.Set("count", to_js(env, std::uint64_t{sink.count}));
  return made;
}

}  // namespace mmu::binding
