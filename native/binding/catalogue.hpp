// What the addon says of itself: the tables of the core as plain data, and how
// it was built. Functions without state.
#pragma once

#include "binding/napi.hpp"

namespace mmu::binding {

Napi::Value layout(const Napi::CallbackInfo& info);
Napi::Value errors(const Napi::CallbackInfo& info);
Napi::Value strategies(const Napi::CallbackInfo& info);
Napi::Value formats(const Napi::CallbackInfo& info);
Napi::Value detect_format(const Napi::CallbackInfo& info);
// Facts for `gpalias doctor`; nothing decides by them. In build_info.cpp.
Napi::Value build(const Napi::CallbackInfo& info);

}  // namespace mmu::binding
