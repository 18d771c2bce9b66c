// Tracing of one VM, on and off.
#pragma once

#include <optional>
#include <string>

#include "core/tracepoints/text_trace.hpp"
#include "core/tracepoints/tracer.hpp"

namespace mmu {

class Tracing {
 public:
  // The text that a VM holds until it is taken; what comes after is lost.
  static constexpr std::size_t kTextBytes = std::size_t{256} << 20;

  std::optional<Error> set(Mmu& mmu, std::optional<TraceRelease> release);
  std::string take() { return text_ == nullptr ? "" : text_->take(); }

 private:
  // The VM's tracer has it.
  TextTrace* text_ = nullptr;
};

}  // namespace mmu
