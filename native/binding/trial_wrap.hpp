// The trials of `gpalias bench`: their list, and the JavaScript object of one
// that is ready to run.
#pragma once

#include <memory>

#include "bench/trial.hpp"
#include "binding/napi.hpp"

namespace mmu::binding {

Napi::Value trials(const Napi::CallbackInfo& info);

class TrialWrap : public Napi::ObjectWrap<TrialWrap> {
 public:
  static constexpr const char* kClassName = "Trial";
  static constexpr napi_type_tag kTag{0x73b1f0c49a8e4d25, 0x9c64e1f7028bd3a6};

  static Napi::Function define(Napi::Env env);

  // The name of one that this machine can run.
  explicit TrialWrap(const Napi::CallbackInfo& info);

 private:
  Napi::Value events(const Napi::CallbackInfo& info);
  Napi::Value engine(const Napi::CallbackInfo& info);
  Napi::Value floor(const Napi::CallbackInfo& info);
  Napi::Value holds(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  bench::Sides& sides() const;

  std::unique_ptr<bench::Sides> sides_;
};

}  // namespace mmu::binding
