// The JavaScript object of one native trace decoder.
#pragma once

#include <memory>

#include "binding/napi.hpp"
#include "trace/decoder.hpp"

namespace mmu::binding {

class DecoderWrap : public Napi::ObjectWrap<DecoderWrap> {
 public:
  static constexpr const char* kClassName = "Decoder";
  static constexpr napi_type_tag kTag{0x5d0c1f6be2a94c37, 0x8f3e7a90b416d25c};

  static Napi::Function define(Napi::Env env);

  explicit DecoderWrap(const Napi::CallbackInfo& info);

  trace::Decoder& decoder() noexcept { return *decoder_; }

 private:
  Napi::Value decode(const Napi::CallbackInfo& info);
  Napi::Value totals(const Napi::CallbackInfo& info);

  std::unique_ptr<trace::Decoder> decoder_;
};

// What a decode step answers; throws its refusal, which then carries the rows
// that were decoded before it.
Napi::Object to_js(Napi::Env env, const trace::DecodeStep& step,
                   const trace::EventSink& sink);

}  // namespace mmu::binding
