#include "alias_laws.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace {

using alias_laws::Law;
using alias_laws::Random;
using alias_laws::Subject;
using mmu::AliasEntry;
using mmu::AliasSpace;
using mmu::Flavour;

constexpr int kInstances = 1000;
constexpr Flavour kFlavours[] = {Flavour::kTdp, Flavour::kRmap};
constexpr std::string_view kPresets[] = {
    "none",    "tdx47",      "tdx51",   "xo:46",           "xo:51",
    "sev:47",  "hyperv:31",  "vtom:8T", "cca:40",          "bits:31",
    "bits:48", "bits:46,47", "cca:52",  "bits:48,49,50,51"};

bool is_supported(const AliasEntry& entry, const AliasSpace& space,
                  Flavour flavour) {
  mmu::MachineConfig config{.strategy = std::string(entry.name),
                            .preset = space.preset,
                            .mmu = flavour};
  config.host_maxphyaddr = mmu::kMaxAddressBits;
  if (space.address_bits != 0) {
    config.address_bits = space.address_bits;
    config.root_level = space.root_level;
  }
  const auto reason = mmu::not_applicable(config);
  REQUIRE(reason);
  return reason.value().empty();
}

// Calls check(subject) for every preset and flavour that the strategy has.
template <class Check>
int for_each_subject(const AliasEntry& entry, Check check) {
  int subjects = 0;
  for (const std::string_view preset : kPresets) {
    const auto space = mmu::parse_preset(preset);
    REQUIRE(space);
    for (const Flavour flavour : kFlavours) {
      if (!is_supported(entry, space.value(), flavour)) continue;
      const auto answers = entry.answers(space.value(), flavour);
      const bool is_tdp = flavour == Flavour::kTdp;
      CAPTURE(preset);
      CAPTURE(is_tdp);
      check(Subject{*answers, entry.support});
      ++subjects;
    }
  }
  return subjects;
}

bool is_broken_by(const AliasEntry& entry, const Law& law) {
  return std::ranges::count(entry.support.breaks, law.name) != 0;
}

template <class Check>
void for_each_strategy(Check check) {
  REQUIRE(mmu::alias_entries() != nullptr);
  for (const AliasEntry* entry = mmu::alias_entries(); entry != nullptr;
       entry = entry->next) {
    CAPTURE(entry->name);
    check(*entry);
  }
}

int times_broken(const AliasEntry& entry, const Law& law) {
  int broken = 0;
  for_each_subject(entry, [&](const Subject& subject) {
    Random random(20220304);
    for (int i = 0; i < kInstances; ++i) broken += !law.holds(subject, random);
  });
  return broken;
}

}  // namespace

TEST_CASE("a strategy keeps every law that it does not say it breaks") {
  for_each_strategy([](const AliasEntry& entry) {
    const int subjects = for_each_subject(entry, [&](const Subject& subject) {
      for (const Law& law : alias_laws::kLaws) {
        if (is_broken_by(entry, law)) continue;
        CAPTURE(law.sentence);
        Random random(20220304);
        for (int i = 0; i < kInstances; ++i) {
          CAPTURE(i);
          REQUIRE(law.holds(subject, random));
        }
      }
    });
    CHECK(subjects > 0);
  });
}

TEST_CASE("a law that a strategy says it breaks is caught broken") {
  for_each_strategy([](const AliasEntry& entry) {
    for (const Law& law : alias_laws::kLaws) {
      if (!is_broken_by(entry, law)) continue;
      CAPTURE(law.sentence);
      CHECK(times_broken(entry, law) > 0);
    }
  });
}

TEST_CASE("a strategy breaks laws that exist") {
  for_each_strategy([](const AliasEntry& entry) {
    for (const std::string_view name : entry.support.breaks) {
      CAPTURE(name);
      CHECK(std::ranges::count(alias_laws::kLaws, name, &Law::name) == 1);
    }
  });
}
