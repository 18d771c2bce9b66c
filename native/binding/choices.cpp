#include "binding/choices.hpp"

#include <algorithm>
#include <string>

#include "binding/arguments.hpp"
#include "binding/errors.hpp"

namespace mmu::binding {

std::size_t index_of(Napi::Value value, std::string_view name,
                     std::span<const std::string_view> names) {
  const std::string chosen = text(value, name, kMaxNameBytes);
  const auto found = std::ranges::find(names, chosen);
  if (found != names.end()) {
    return static_cast<std::size_t>(found - names.begin());
  }
  std::string sentence(name);
  for (std::string_view each : names) {
    sentence += each == names.front() ? " must be " : " or ";
    sentence += '"' + std::string(each) + '"';
  }
  throw to_js(value.Env(), refusal(ErrorCode::kConfig,
                                   sentence + ", got \"" + chosen + '"'));
}

}  // namespace mmu::binding
