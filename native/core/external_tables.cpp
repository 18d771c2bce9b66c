#include "core/external_tables.hpp"

#include <string>

namespace mmu {

Result<ExternalTables> parse_external_tables(std::string_view text) {
  if (text == "ok") return ExternalTables{};
  if (const auto plan = parse_every_kth(text, "busy:")) {
    return ExternalTables{ExternalAnswer::kBusy, *plan};
  }
  if (const auto plan = parse_every_kth(text, "fail:")) {
    return ExternalTables{ExternalAnswer::kFailed, *plan};
  }
  return Error{ErrorCode::kConfig,
               {},
               "external tables \"" + std::string(text) +
                   "\" are none of ok, busy:<k> and fail:<k> with k from 1"};
}

}  // namespace mmu
