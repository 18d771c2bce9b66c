// What the addon says of itself: the tables of the core as plain data, and how
// it was built. Functions without state.
#pragma once

#include "binding/napi.hpp"

namespace mmu::binding {

Napi::Value layout(const Napi::CallbackInfo& info);
Napi::Value errors(const Napi::CallbackInfo& info);
Napi::Value formats(const Napi::CallbackInfo& info);
Napi::Value detect_format(const Napi::CallbackInfo& info);
// What the core knows of aliases, in alias_catalogue.cpp.
Napi::Value strategies(const Napi::CallbackInfo& info);
Napi::Value rules(const Napi::CallbackInfo& info);
// What a preset fixes, from its text.
Napi::Value preset(const Napi::CallbackInfo& info);
// Why a VM of this config cannot be had, or "".
Napi::Value applicability(const Napi::CallbackInfo& info);
// Facts for `gpalias doctor`; nothing decides by them. In build_info.cpp.
Napi::Value build(const Napi::CallbackInfo& info);

}  // namespace mmu::binding
