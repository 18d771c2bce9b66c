// Where the checks of an audit put what they find.
//
// Of each rule the first hundred are kept, and all are counted: one mistake
// may show in every entry.
#pragma once

#include <string>
#include <string_view>

#include "core/audit/audit_census.hpp"

namespace mmu {

class AuditFindings {
 public:
  static constexpr std::size_t kMostOfARule = 100;

  explicit AuditFindings(const Mmu& mmu);

  // Whose findings the next ones are.
  void begin(std::string_view rule);
  // `defects`: known ones that show this way, apart by spaces.
  void add(std::string reason, std::optional<AuditPlace> place = {},
           std::string_view defects = {});
  void add(std::string reason, const EntrySeen& at,
           std::string_view defects = {}) {
    add(std::move(reason), place_of(at), defects);
  }
  // A number that the engine keeps, beside what was counted.
  void expect(std::string_view what, std::uint64_t kept, std::uint64_t counted);

  AuditReport take();

  static AuditPlace place_of(const EntrySeen& entry) {
    return {gpa_of(entry.first).value,
            static_cast<std::uint8_t>(number_of(entry.level)),
            static_cast<std::uint8_t>(entry.root)};
  }

 private:
  const Mmu& mmu_;
  AuditReport report_;
};

// Words and numbers, the latter in decimal, in a row.
inline std::string words(std::string_view text) { return std::string(text); }
inline std::string words(std::uint64_t value) { return std::to_string(value); }
template <class First, class... Rest>
  requires(sizeof...(Rest) > 0)
std::string words(const First& first, const Rest&... rest) {
  return words(first) + words(rest...);
}

}  // namespace mmu
