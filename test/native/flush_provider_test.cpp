#include "core/flush_provider.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

mmu::FlushProvider provider(std::string_view text) {
  const auto parsed = mmu::parse_flush_provider(text);
  REQUIRE(parsed);
  return parsed.value();
}

}  // namespace

TEST_CASE("only hyperv has a hook for flushing everything") {
  CHECK_FALSE(provider("none").exists());
  CHECK_FALSE(provider("none").has_full_hook());
  CHECK(provider("hyperv").exists());
  CHECK(provider("hyperv").has_full_hook());
  CHECK(provider("fail:2").exists());
  CHECK_FALSE(provider("fail:2").has_full_hook());
}

TEST_CASE("hyperv fails one page past its list, however often it is asked") {
  mmu::FlushProvider hyperv = provider("hyperv");
  for (int i = 0; i < 5; ++i) {
    CHECK(hyperv.call(1));
    CHECK(hyperv.call(1'044'480));
    CHECK_FALSE(hyperv.call(1'044'481));
    CHECK_FALSE(hyperv.call(~std::uint64_t{0}));
  }
}

TEST_CASE("fail:k fails on calls k, 2k, 3k and on no other") {
  for (const unsigned period : {1u, 2u, 3u, 7u, 100u}) {
    CAPTURE(period);
    mmu::FlushProvider failing = provider("fail:" + std::to_string(period));
    for (unsigned call = 1; call <= 1000; ++call) {
      REQUIRE(failing.call(call * 4096) == (call % period != 0));
    }
  }
}

TEST_CASE("text that names no provider is refused and quoted") {
  for (const std::string_view text :
       {"", "None", "hyper-v", "fail", "fail:", "fail:0", "fail:-1", "fail:1 ",
        "fail:18446744073709551616", "fail:x"}) {
    const auto parsed = mmu::parse_flush_provider(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == mmu::ErrorCode::kConfig);
    CHECK(parsed.error().message() ==
          "flush provider \"" + std::string(text) +
              "\" is none of none, hyperv and fail:<k> with k from 1");
  }
}
