// What the engine is timed beside does the same work.
#include <doctest/doctest.h>

#include <set>

#include "bench/floor.hpp"
#include "bench/guest_tables.hpp"
#include "bench/pages.hpp"
#include "bench/trial.hpp"

using namespace mmu::bench;

namespace {

constexpr Shape kSmall{256, 1};

}  // namespace

TEST_CASE("a trial's name is its own, and it says what it compares") {
  std::set<std::string> names;
  for (const Trial& trial : trials()) {
    CAPTURE(trial.name);
    CHECK(names.insert(trial.name).second);
    CHECK(!trial.what.empty());
    CHECK(!trial.beside.empty());
    CHECK(!trial.unit.empty());
    CHECK(trial.bytes > 0);
  }
  CHECK(names.contains("hits-plain-1GiB"));
}

TEST_CASE(
    "a bare walk finds each page's own entry, one by one and 32 at once") {
  const Pages pages(kSmall);
  BareTables<std::uint64_t> tables(kSmall.most_tables());
  for (const double gpa : pages.touch) {
    tables.insert(static_cast<std::uint64_t>(gpa) >> mmu::kPageShift);
  }
  std::vector<std::uint64_t> plain(pages.hit.size());
  tables.walk_plain(pages.hit, plain);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    CHECK(plain[i] == (static_cast<std::uint64_t>(pages.hit[i]) | 1));
  }
  if (!has_avx512()) return;
  std::vector<std::uint64_t> gathered(pages.hit.size());
  tables.walk_gathered(pages.hit, gathered);
  CHECK(gathered == plain);
}

TEST_CASE(
    "the pages of a trial are distinct, and hit are those that were touched") {
  const Pages pages(kSmall);
  const std::set<double> touched(pages.touch.begin(), pages.touch.end());
  const std::set<double> hit(pages.hit.begin(), pages.hit.end());
  CHECK(touched.size() == kSmall.pages);
  CHECK(touched == hit);
  CHECK(*touched.rbegin() < static_cast<double>(kSmall.span_bytes()));
}

TEST_CASE("decoders do the work that they are timed for") {
  for (const Trial& trial : trials()) {
    if (!trial.name.starts_with("decode-")) continue;
    CAPTURE(trial.name);
    const auto sides = trial.prepare();
    CHECK(!sides->holds());
    CHECK(sides->engine() > 0);
    CHECK(sides->floor() > 0);
    CHECK(sides->holds());
    CHECK(sides->events() > 100'000);
  }
}
