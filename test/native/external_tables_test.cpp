#include "core/external_tables.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using mmu::ExternalAnswer;

mmu::ExternalTables tables(const std::string& text) {
  const auto parsed = mmu::parse_external_tables(text);
  REQUIRE(parsed);
  return parsed.value();
}

void check_plan(const std::string& name, ExternalAnswer struck) {
  for (const unsigned period : {1u, 2u, 5u, 64u}) {
    CAPTURE(period);
    mmu::ExternalTables external = tables(name + std::to_string(period));
    for (unsigned ask = 1; ask <= 500; ++ask) {
      REQUIRE(external.ask() ==
              (ask % period == 0 ? struck : ExternalAnswer::kOk));
    }
  }
}

}  // namespace

TEST_CASE("the external side answers by its plan, k-th ask by k-th ask") {
  check_plan("busy:", ExternalAnswer::kBusy);
  check_plan("fail:", ExternalAnswer::kFailed);
}

TEST_CASE("external tables that are ok never refuse") {
  mmu::ExternalTables external = tables("ok");
  for (int i = 0; i < 100; ++i) REQUIRE(external.ask() == ExternalAnswer::kOk);
}

TEST_CASE("text that names no external side is refused and quoted") {
  for (const std::string_view text :
       {"", "OK", "busy", "busy:", "busy:0", "fail:0", "fail:1x", "none"}) {
    const auto parsed = mmu::parse_external_tables(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == mmu::ErrorCode::kConfig);
    CHECK(parsed.error().message() ==
          "external tables \"" + std::string(text) +
              "\" are none of ok, busy:<k> and fail:<k> with k from 1");
  }
}
