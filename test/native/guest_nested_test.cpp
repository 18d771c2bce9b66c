// Laws of walks through a hypervisor's tables that is a guest itself.
#include <algorithm>

#include "guest_world.hpp"

using namespace world;
namespace pferr = mmu::pferr;

namespace {

constexpr std::uint64_t kGva = 0x12345678;
constexpr std::uint64_t kFrame = 0x2345000;
// Where the second level puts what the nested guest calls 0.
constexpr std::uint64_t kMoved = 32 * kMiB;
constexpr std::uint64_t kRwx = 7;
constexpr std::uint64_t kEptAccessed = mmu::bit(8);
constexpr std::uint64_t kEptDirty = mmu::bit(9);

// A guest's tables, which lie moved by an EPT of so many levels that maps all
// of its memory in 4K.
class Nested {
 public:
  Nested(Mode mode, unsigned levels, std::uint64_t controls = 0)
      : guest(mode), levels_(levels) {
    ept_ = guest.new_table() + 8 * kMiB;
    next_ = ept_;
    controls_ = controls;
  }

  // The nested guest's page, mapped to the page of the same number.
  void map_ept(std::uint64_t gpa, std::uint64_t entry, unsigned level = 1) {
    std::uint64_t table = ept_;
    for (unsigned at = levels_; at > level; --at) {
      const std::uint64_t slot = table + (gpa >> (12 + 9 * (at - 1)) & 511) * 8;
      if (guest.load_entry(slot) == 0) {
        guest.store(slot, (next_ += 4096) | kRwx);
      }
      table = guest.load_entry(slot) & mmu::bits(51, 12);
    }
    guest.store(table + (gpa >> (12 + 9 * (level - 1)) & 511) * 8, entry);
  }
  std::uint64_t ept_entry(std::uint64_t gpa) {
    std::uint64_t table = ept_;
    for (unsigned at = levels_; at > 1; --at) {
      table = guest.load_entry(table + (gpa >> (12 + 9 * (at - 1)) & 511) * 8) &
              mmu::bits(51, 12);
    }
    return guest.load_entry(table + (gpa >> 12 & 511) * 8);
  }
  void start() {
    const mmu::NestedPaging nested{
        .kind = mmu::NestedPaging::Kind::kEpt,
        .ept = {.eptp =
                    ept_ | (std::uint64_t{levels_} - 1) << 3 | 6 | controls_}};
    REQUIRE(!guest.machine().set_nested_paging(0, nested));
  }
  mmu::GuestTranslation walk(std::uint64_t access = 0) {
    trail.clear();
    const auto found = guest.machine().translate(0, kGva, access, &trail);
    REQUIRE(found);
    return found.value();
  }

  AGuest guest;
  std::vector<mmu::GuestReference> trail;

 private:
  unsigned levels_;
  std::uint64_t controls_ = 0;
  std::uint64_t ept_ = 0;
  std::uint64_t next_ = 0;
};

// Every table of the guest's own, and the page, through 4K entries.
Nested whole(Mode mode, unsigned levels, std::uint64_t controls = 0) {
  Nested nested(mode, levels, controls);
  nested.guest.map(kGva, kFrame | kPwu);
  for (unsigned level = 1; level <= nested.guest.top_level(); ++level) {
    const std::uint64_t page =
        nested.guest.entry_at(kGva, level) & ~mmu::bits(11, 0);
    nested.map_ept(page, page | kRwx);
  }
  nested.map_ept(kFrame, (kFrame + kMoved) | kRwx);
  nested.start();
  return nested;
}

}  // namespace

TEST_CASE("four levels over four make 24 references, five over five 35") {
  const std::array<std::array<unsigned, 3>, 4> rows{
      {{4, 4, 24}, {5, 4, 29}, {4, 5, 29}, {5, 5, 35}}};
  for (const auto& [guest, host, references] : rows) {
    Nested nested = whole(guest == 5 ? Mode::k5Level : Mode::k4Level, host);
    const mmu::GuestTranslation found = nested.walk();
    CHECK(found.ended == mmu::GuestTranslation::Ended::kMapped);
    CHECK(found.gpa == kFrame + kMoved + 0x678);
    CHECK(nested.trail.size() == references);
  }
}

TEST_CASE("a table that the second level lacks is a nested fault of its page") {
  Nested nested = whole(Mode::k4Level, 4);
  const std::uint64_t table =
      nested.guest.entry_at(kGva, 2) & ~mmu::bits(11, 0);
  nested.map_ept(table, 0);
  const mmu::GuestTranslation found = nested.walk(pferr::kFetch);
  CHECK(found.ended == mmu::GuestTranslation::Ended::kFault);
  CHECK(found.fault.nested);
  CHECK(found.fault.address == table);
  CHECK(found.fault.error_code == (pferr::kUser | pferr::kWrite));
  CHECK(found.fault.qualification == 3);
}

TEST_CASE("the last address is asked for with the access itself") {
  Nested nested = whole(Mode::k4Level, 4);
  nested.map_ept(kFrame, (kFrame + kMoved) | 1);
  CHECK(nested.walk().ended == mmu::GuestTranslation::Ended::kMapped);
  const mmu::GuestTranslation found = nested.walk(pferr::kWrite);
  CHECK(found.fault.nested);
  CHECK(found.fault.address == kFrame);
  CHECK(found.fault.qualification == (3 | 1 << 3));
}

TEST_CASE("the guest's own fault is no nested one") {
  Nested nested = whole(Mode::k4Level, 4);
  nested.guest.map(kGva, kFrame | 1);
  const mmu::GuestTranslation found = nested.walk(pferr::kUser);
  CHECK(found.ended == mmu::GuestTranslation::Ended::kFault);
  CHECK_FALSE(found.fault.nested);
  CHECK(found.fault.address == kGva);
}

TEST_CASE("bit 12 of a 2M entry of EPT is a misconfiguration (B79)") {
  Nested nested = whole(Mode::k4Level, 4);
  nested.map_ept(kFrame, kLarge | kRwx | 6 << 3, 2);
  CHECK(nested.walk().ended == mmu::GuestTranslation::Ended::kMapped);
  nested.map_ept(kFrame, kLarge | mmu::bit(12) | kRwx, 2);
  const mmu::GuestTranslation found = nested.walk();
  CHECK(found.fault.nested);
  CHECK((found.fault.error_code & pferr::kReserved) != 0);
  CHECK(found.fault.qualification == 0);
}

TEST_CASE("memory types and rights that EPT has not are misconfigurations") {
  for (const std::uint64_t bad :
       {std::uint64_t{2}, std::uint64_t{6}, 2 << 3 | kRwx, 3 << 3 | kRwx,
        7 << 3 | kRwx}) {
    Nested nested = whole(Mode::k4Level, 4);
    nested.map_ept(kFrame, (kFrame + kMoved) | bad);
    CHECK((nested.walk().fault.error_code & pferr::kReserved) != 0);
  }
  Nested nested = whole(Mode::k4Level, 4);
  nested.map_ept(kFrame, (kFrame + kMoved) | 4);
  CHECK(nested.walk(pferr::kFetch).fault.qualification == (5 | 4 << 3));
}

TEST_CASE("EPT keeps Accessed and Dirty where its pointer says so") {
  Nested without = whole(Mode::k4Level, 4);
  without.walk(pferr::kWrite);
  CHECK((without.ept_entry(kFrame) & (kEptAccessed | kEptDirty)) == 0);
  Nested with = whole(Mode::k4Level, 4, mmu::bit(6));
  with.walk();
  CHECK((with.ept_entry(kFrame) & (kEptAccessed | kEptDirty)) == kEptAccessed);
  with.walk(pferr::kWrite);
  CHECK((with.ept_entry(kFrame) & kEptDirty) != 0);
  const std::uint64_t table = with.guest.entry_at(kGva, 1) & ~mmu::bits(11, 0);
  CHECK((with.ept_entry(table) & kEptDirty) != 0);
}

TEST_CASE("a nested guest without paging goes through the second level alone") {
  Nested nested = whole(Mode::k4Level, 4);
  nested.guest.registers = {};
  REQUIRE(nested.guest.load());
  std::vector<mmu::GuestReference> trail;
  const auto found =
      nested.guest.machine().translate(0, kFrame | 0x12, 0, &trail);
  REQUIRE(found);
  CHECK(found.value().gpa == kFrame + kMoved + 0x12);
  CHECK(found.value().level == 0);
  CHECK(found.value().granted == 7);
  CHECK(trail.size() == 4);
  // KVM rounds nothing here, and no address is kept from the second level.
  for (const std::uint64_t address :
       {std::uint64_t{0x12345}, ~std::uint64_t{0}}) {
    const auto failed =
        nested.guest.machine().translate(0, address, 0, nullptr);
    REQUIRE(failed);
    CHECK(failed.value().fault.nested);
    CHECK(failed.value().fault.address == address);
  }
}

TEST_CASE(
    "a nested guest's mark dirties the frame that it named, not its own") {
  Nested nested = whole(Mode::k4Level, 4);
  const std::uint64_t table =
      nested.guest.entry_at(kGva, 1) & ~mmu::bits(11, 0);
  // The same table by a name that is in no slot.
  constexpr std::uint64_t kNamed = AGuest::kMemory + 4096;
  nested.map_ept(kNamed, table | kRwx);
  nested.guest.store(nested.guest.entry_at(kGva, 2), kNamed | kPwu);
  mmu::Machine& machine = nested.guest.machine();
  mmu::MemslotRegion slot = Slot{.bytes = AGuest::kMemory, .flags = 1}.region();
  REQUIRE(machine.set_memslot(slot));
  CHECK(nested.walk().ended == mmu::GuestTranslation::Ended::kMapped);
  CHECK(machine.memslot(0)->dirty_pages == 3);
}

TEST_CASE("nested tables of AMD's kind are the format of the guest's own") {
  AGuest guest(Mode::k4Level);
  guest.map(kGva, kFrame | kPwu);
  // The same tables serve as both: each page is at its own address.
  AGuest& both = guest;
  for (unsigned level = 1; level <= 4; ++level) {
    const std::uint64_t page = both.entry_at(kGva, level) & ~mmu::bits(11, 0);
    both.map(page, page | kPwu);
  }
  for (std::uint64_t page = AGuest::kTables; page < AGuest::kTables + 64 * 4096;
       page += 4096) {
    both.map(page, page | kPwu);
  }
  both.map(kFrame, (kFrame + kMoved) | kPwu);
  const mmu::NestedPaging nested{.kind = mmu::NestedPaging::Kind::kNpt,
                                 .npt = both.registers};
  REQUIRE(!both.machine().set_nested_paging(0, nested));
  std::vector<mmu::GuestReference> trail;
  const auto found = both.machine().translate(0, kGva, 0, &trail);
  REQUIRE(found);
  CHECK(found.value().gpa == kFrame + kMoved + 0x678);
  CHECK(trail.size() == 24);
  const auto beneath = std::count_if(
      trail.begin(), trail.end(),
      [](const mmu::GuestReference& each) { return each.is_second_level; });
  CHECK(beneath == 20);
}

TEST_CASE("no key keeps a nested guest from memory") {
  AGuest guest(Mode::k4Level);
  guest.map(kGva, kFrame | kPwu);
  mmu::GuestRegisters npt = guest.registers;
  guest.registers = {};
  REQUIRE(guest.load());
  npt.cr4 |= mmu::cr4::kPke;
  npt.pkru = ~0u;
  REQUIRE(!guest.machine().set_nested_paging(
      0, {.kind = mmu::NestedPaging::Kind::kNpt, .npt = npt}));
  const auto found = guest.machine().translate(0, kGva, pferr::kWrite, nullptr);
  REQUIRE(found);
  CHECK(found.value().ended == mmu::GuestTranslation::Ended::kMapped);
}
