// What the machine's KVM is asked, and what it says, as JavaScript has it.
#pragma once

#include <vector>

#include "binding/napi.hpp"
#include "kvm/live_kvm.hpp"

namespace mmu::binding {

kvm::Region live_region(Napi::Value value);
kvm::Registers live_registers(Napi::Value value);
std::vector<kvm::CpuidEntry> cpuid_entries(Napi::Value value);

Napi::Value to_js(Napi::Env env, const kvm::Registers& registers);

// "0", or the errno's name.
Napi::Value outcome_of(Napi::Env env, kvm::Errno error);

// The outcome and what came with it.
template <class... Values>
Napi::Value answer_of(Napi::Env env, kvm::Errno error, Values... values) {
  Napi::Array made = Napi::Array::New(env);
  std::uint32_t at = 0;
  made.Set(at++, outcome_of(env, error));
  (made.Set(at++, values), ...);
  return made;
}

}  // namespace mmu::binding
