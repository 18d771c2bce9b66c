// The config of a VM in: a property for each option, none of them optional,
// since whoever calls has filled in the defaults.
#pragma once

#include "binding/napi.hpp"
#include "core/machine.hpp"

namespace mmu::binding {

MachineConfig vm_config(Napi::Value value);

}  // namespace mmu::binding
