// Law: a batch of walks answers, marks and logs as its walks one by one.
#include <random>

#include "guest_world.hpp"
#include "slot_world.hpp"

using namespace world;
namespace pferr = mmu::pferr;

namespace {

// More rows than a batch needs to remember regions.
constexpr std::size_t kRows = 6000;

struct Rows {
  explicit Rows(std::size_t count)
      : gva(count),
        gpa(count),
        code(count),
        ended(count),
        level(count),
        granted(count) {}
  mmu::TranslationColumns columns() {
    return {gva.data(),   gpa.data(),     code.data(), ended.data(),
            level.data(), granted.data(), gva.size()};
  }

  std::vector<std::uint64_t> gva;
  std::vector<double> gpa;
  std::vector<std::uint32_t> code;
  std::vector<std::uint8_t> ended;
  std::vector<std::uint8_t> level;
  std::vector<std::uint8_t> granted;
};

// An entry with most bits as a guest would have them, and seldom one amiss.
std::uint64_t some_entry(std::mt19937_64& random, std::uint64_t frame) {
  std::uint64_t entry = frame | kPwu | kAccessedBit | kDirtyBit;
  for (const unsigned each : {0u, 1u, 2u, 5u, 6u, 13u, 46u, 47u, 63u}) {
    if (random() % 12 == 0) entry ^= mmu::bit(each);
  }
  return entry;
}

// Regions of 4K entries, 2M leaves and holes; the same for equal seeds.
void fill(AGuest& guest, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (std::uint64_t gva = 0; gva < 64 * kMiB; gva += 2 * kMiB) {
    if (random() % 4 == 0) {
      guest.map(gva, some_entry(random, gva) | kLarge, 2);
      continue;
    }
    for (std::uint64_t page = 0; page < 2 * kMiB; page += 16 * 4096) {
      guest.map(gva + page, some_entry(random, gva + page));
    }
    const std::uint64_t upper = guest.entry(gva, 2);
    guest.map(gva, some_entry(random, upper & mmu::bits(51, 12)), 2);
  }
}

void check_equal(Mode mode, const mmu::MachineConfig& config,
                 const mmu::GuestRegisters& extra, std::uint64_t access,
                 std::uint64_t seed) {
  AGuest apart(mode, config, kLogged);
  AGuest batched(mode, config, kLogged);
  for (AGuest* guest : {&apart, &batched}) {
    fill(*guest, seed);
    guest->registers.cr4 |= extra.cr4;
    guest->registers.pkru = extra.pkru;
    REQUIRE(guest->load());
  }
  Rows rows(kRows);
  std::mt19937_64 random(seed + 1);
  for (std::uint64_t& gva : rows.gva) {
    gva = random() % (64 * kMiB) / (16 * 4096) * (16 * 4096) + random() % 4096;
  }
  REQUIRE(!batched.machine().translate_batch(0, access, rows.columns()));
  for (std::size_t i = 0; i < kRows; ++i) {
    const auto found =
        apart.machine().translate(0, rows.gva[i], access, nullptr);
    REQUIRE(found);
    const mmu::GuestTranslation& at = found.value();
    REQUIRE(rows.ended[i] == static_cast<std::uint8_t>(at.ended));
    REQUIRE(rows.gpa[i] == static_cast<double>(at.gpa));
    REQUIRE(rows.code[i] == at.fault.error_code);
    REQUIRE(rows.level[i] == at.level);
    REQUIRE(rows.granted[i] == at.granted);
  }
  CHECK(dump(apart.machine()) == dump(batched.machine()));
  CHECK(apart.machine().fingerprint() == batched.machine().fingerprint());
}

}  // namespace

TEST_CASE("a batch walks as its rows do one by one") {
  for (const Mode mode :
       {Mode::k32, Mode::kPae, Mode::k4Level, Mode::k5Level}) {
    for (const std::uint64_t access :
         {std::uint64_t{0}, pferr::kWrite, pferr::kUser | pferr::kFetch}) {
      check_equal(mode, {}, {.cr4 = 0}, access, access + 7);
    }
  }
}

TEST_CASE("a batch heeds keys, SMEP and SMAP") {
  const std::uint64_t cr4 = mmu::cr4::kPke | mmu::cr4::kSmep | mmu::cr4::kSmap;
  for (const std::uint64_t access :
       {std::uint64_t{0}, pferr::kWrite | pferr::kUser, pferr::kFetch}) {
    check_equal(Mode::k4Level, {}, {.cr4 = cr4, .pkru = 0x55555554}, access,
                11);
  }
}

TEST_CASE("a batch carries alias bits to the page and to no table") {
  mmu::MachineConfig config;
  config.strategy = "precise";
  config.preset = "bits:46,47";
  check_equal(Mode::k4Level, config, {.cr4 = 0}, 0, 3);
}

TEST_CASE("a batch of few rows, or of none, is one too") {
  AGuest guest(Mode::k4Level);
  fill(guest, 1);
  Rows none(0);
  CHECK(!guest.machine().translate_batch(0, 0, none.columns()));
  Rows few(5);
  CHECK(!guest.machine().translate_batch(0, 0, few.columns()));
  CHECK(guest.machine().translate_batch(1, 0, few.columns())->code ==
        mmu::ErrorCode::kVcpu);
}

TEST_CASE("a batch sees protected pages and slots that lie apart") {
  AGuest apart(Mode::k4Level);
  AGuest batched(Mode::k4Level);
  Rows rows(kRows);
  for (AGuest* guest : {&apart, &batched}) {
    add(guest->machine(), {.id = 1, .gpa = 4 * kGiB, .bytes = 16 * kMiB});
    fill(*guest, 5);
    const std::uint64_t table = guest->entry_at(0, 2) & ~mmu::bits(11, 0);
    for (std::uint64_t at = 0; at < 32; ++at) {
      guest->store(4 * kGiB + at * 8, 0x5000 * at | kPwu | kAccessedBit);
    }
    guest->store(table + 3 * 8, (4 * kGiB) | kPwu | kAccessedBit);
    REQUIRE(!guest->machine().set_host_mapping(
        {.hva = kHvaBase + 4 * kGiB,
         .bytes = 4096,
         .state = mmu::HostState::kReadOnly}));
  }
  for (std::size_t i = 0; i < kRows; ++i)
    rows.gva[i] = i * 0x3000 % (16 * kMiB);
  REQUIRE(!batched.machine().translate_batch(0, 0, rows.columns()));
  for (std::size_t i = 0; i < kRows; ++i) {
    const auto found = apart.machine().translate(0, rows.gva[i], 0, nullptr);
    REQUIRE(rows.ended[i] == static_cast<std::uint8_t>(found.value().ended));
    REQUIRE(rows.gpa[i] == static_cast<double>(found.value().gpa));
  }
}
