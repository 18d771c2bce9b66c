// The JavaScript object of one reader of tracepoints.
#pragma once

#include "binding/napi.hpp"
#include "observe/observer.hpp"

namespace mmu::binding {

class ObserverWrap : public Napi::ObjectWrap<ObserverWrap> {
 public:
  static constexpr const char* kClassName = "Observer";
  static constexpr napi_type_tag kTag{0x7be4a1c2039f4d18, 0xa6d25c0e91b7f843};

  static Napi::Function define(Napi::Env env);

  explicit ObserverWrap(const Napi::CallbackInfo& info);

 private:
  Napi::Value observe(const Napi::CallbackInfo& info);
  Napi::Value totals(const Napi::CallbackInfo& info);
  // Texts that words of some fields number, from the `from`th on.
  Napi::Value texts(const Napi::CallbackInfo& info);

  observe::Observer observer_;
};

// The tracepoints and gaps that make rows: name and names of words, in the
// order of their numbers.
Napi::Value observed_events(const Napi::CallbackInfo& info);

}  // namespace mmu::binding
