#include "core/alias/alias_space.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace {

using mmu::AliasSpace;
using mmu::PresetKind;

AliasSpace space(std::string_view preset) {
  CAPTURE(preset);
  const auto parsed = mmu::parse_preset(preset);
  REQUIRE(parsed);
  return parsed.value();
}

std::string refusal(std::string_view preset) {
  CAPTURE(preset);
  const auto parsed = mmu::parse_preset(preset);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == mmu::ErrorCode::kConfig);
  return parsed.error().message();
}

struct Expected {
  std::string_view preset;
  PresetKind kind;
  bool execute_only;
  unsigned bit_count, low_bit, address_bits, root_level;
};

}  // namespace

TEST_CASE("every preset has the bits, the width and the level of its table") {
  constexpr auto kShared = PresetKind::kPrivateShared;
  constexpr auto kAttribute = PresetKind::kAttribute;
  const Expected rows[] = {
      {"none", PresetKind::kNone, false, 0, 12, 0, 0},
      {"tdx47", kShared, false, 1, 47, 48, 4},
      {"tdx51", kShared, false, 1, 51, 52, 5},
      {"xo:31", kAttribute, true, 1, 31, 32, 4},
      {"xo:48", kAttribute, true, 1, 48, 49, 5},
      {"hyperv:46", kShared, false, 1, 46, 47, 4},
      {"vtom:0x800000000000", kShared, false, 1, 47, 48, 4},
      {"vtom:2147483648", kShared, false, 1, 31, 32, 4},
      {"vtom:512G", kShared, false, 1, 39, 40, 4},
      {"vtom:2048T", kShared, false, 1, 51, 52, 5},
      {"vtom:0x1000M", kShared, false, 1, 32, 33, 4},
      {"cca:48", kShared, false, 1, 47, 48, 4},
      {"cca:52", kShared, false, 1, 51, 52, 5},
      {"bits:47", kAttribute, false, 1, 47, 48, 4},
      {"bits:46,47", kAttribute, false, 2, 46, 48, 4},
      {"bits:51,48,50,49", kAttribute, false, 4, 48, 52, 5},
      {"bits:48,47", kAttribute, false, 2, 47, 49, 5},
  };
  for (const Expected& row : rows) {
    const AliasSpace found = space(row.preset);
    CAPTURE(row.preset);
    CHECK(found.kind == row.kind);
    CHECK(found.execute_only == row.execute_only);
    CHECK(found.bit_count == row.bit_count);
    CHECK(found.low_bit == row.low_bit);
    CHECK(found.address_bits == row.address_bits);
    CHECK(found.root_level == row.root_level);
    CHECK(found.stripped_mask == 0);
    CHECK(found.preset == row.preset);
  }
}

TEST_CASE("a stripped bit is no alias bit, and hardware never sees it") {
  const AliasSpace sev = space("sev:47");
  CHECK(sev.kind == PresetKind::kStripped);
  CHECK(sev.address_bits == 48);
  CHECK(sev.root_level == 4);
  CHECK(sev.bit_count == 0);
  CHECK(sev.alias_count() == 1);
  CHECK(sev.gfn_mask() == 0);
  CHECK(sev.stripped_mask == mmu::bit(35));
  const mmu::AliasedGfn issued{mmu::bit(35) | 7};
  CHECK(sev.as_hardware_sees(issued) == mmu::AliasedGfn{7});
  CHECK(sev.alias_of(issued) == 0);
  CHECK(space("tdx47").as_hardware_sees(issued) == issued);
}

TEST_CASE("refusals quote the preset and say what was expected") {
  CHECK(refusal("bits:45,47") ==
        "alias preset \"bits:45,47\" must name the top bits: 46 lies between");
  CHECK(refusal("bits:47,47") ==
        "alias preset \"bits:47,47\" names bit 47 twice");
  CHECK(refusal("bits:43,44,45,46,47") ==
        "alias preset \"bits:43,44,45,46,47\" names 5 bits, the most is 4");
  CHECK(refusal("xo:30") ==
        "alias preset \"xo:30\" must name bits from 31 to 51, got 30");
  CHECK(refusal("vtom:3G") ==
        "alias preset \"vtom:3G\" needs a power of two, got 3221225472 "
        "bytes");
  CHECK(refusal("cca:31") ==
        "alias preset \"cca:31\" needs a width of 32 to 52 ipa bits, got "
        "\"31\"");
  CHECK(refusal("hyperv:") ==
        "alias preset \"hyperv:\" needs a decimal bit number, got \"\"");
}

TEST_CASE("text that only resembles a preset is refused") {
  for (const std::string_view preset :
       {"",          "None",       "tdx",
        "tdx47 ",    "tdx48",      "xo",
        "xo:",       "xo:+47",     "xo:47 ",
        "xo:0x2f",   "xo:52",      "xo:18446744073709551663",
        "sev:30",    "hyperv:52",  "vtom:",
        "vtom:0",    "vtom:0x",    "vtom:G",
        "vtom:1G",   "vtom:4096T", "vtom:18446744073709551615T",
        "vtom:-2G",  "vtom:2g",    "vtom:2GG",
        "cca:",      "cca:53",     "cca:0",
        "bits:",     "bits:,",     "bits:47,",
        "bits:,47",  "bits:47;46", "bits:52",
        "bits:51,30"}) {
    CHECK(refusal(preset).starts_with("alias preset \""));
  }
}

TEST_CASE("issuing a frame through an alias is undone by strip and alias_of") {
  std::mt19937_64 random(11);
  for (const std::string_view preset :
       {"none", "sev:40", "tdx47", "tdx51", "xo:31", "bits:46,47",
        "bits:48,49,50,51", "bits:31,32,33"}) {
    const AliasSpace aliases = space(preset);
    CAPTURE(preset);
    const unsigned width =
        aliases.bit_count == 0 ? 40 : aliases.low_bit - mmu::kPageShift;
    for (unsigned alias = 0; alias < aliases.alias_count(); ++alias) {
      for (int i = 0; i < 64; ++i) {
        const std::uint64_t top = mmu::bit(width) - 1;
        const mmu::Gfn gfn{i == 0 ? 0 : i == 1 ? top : random() & top};
        const mmu::AliasedGfn issued = aliases.issue(gfn, alias);
        REQUIRE(aliases.strip(issued) == gfn);
        REQUIRE(aliases.alias_of(issued) == alias);
        REQUIRE(issued.value == gfn.value + aliases.offset_of(alias));
      }
    }
  }
}
