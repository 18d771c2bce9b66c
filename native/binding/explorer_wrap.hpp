// The JavaScript object of one exploration of a small world.
#pragma once

#include <optional>

#include "binding/napi.hpp"
#include "check/explorer.hpp"

namespace mmu::binding {

// It works on the thread that calls it, a slice at a time: whoever wants more
// cores has more threads, each with a world of its own.
class ExplorerWrap : public Napi::ObjectWrap<ExplorerWrap> {
 public:
  static constexpr const char* kClassName = "Explorer";
  static constexpr napi_type_tag kTag{0x1c9e5d2a7f4b4860, 0xa3d6018c52ef79b4};

  static Napi::Function define(Napi::Env env);

  // A config, {setup, operations}, and {operations, states}.
  explicit ExplorerWrap(const Napi::CallbackInfo& info);

 private:
  Napi::Value advance(const Napi::CallbackInfo& info);
  Napi::Value found(const Napi::CallbackInfo& info);
  Napi::Value save(const Napi::CallbackInfo& info);
  Napi::Value restore(const Napi::CallbackInfo& info);

  std::optional<check::Explorer> explorer_;
};

}  // namespace mmu::binding
