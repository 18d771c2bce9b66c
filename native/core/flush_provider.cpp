#include "core/flush_provider.hpp"

#include <string>

namespace mmu {

Result<FlushProvider> parse_flush_provider(std::string_view text) {
  if (text == "none") return FlushProvider{};
  if (text == "hyperv") return FlushProvider::hyperv();
  const auto failures = parse_every_kth(text, "fail:");
  if (failures) return FlushProvider::failing(*failures);
  return Error{ErrorCode::kConfig,
               {},
               "flush provider \"" + std::string(text) +
                   "\" is none of none, hyperv and fail:<k> with k from 1"};
}

}  // namespace mmu
