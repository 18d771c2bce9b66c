// Laws of walks of a guest's own tables.
#include "guest_world.hpp"
#include "slot_world.hpp"

using namespace world;
namespace pferr = mmu::pferr;

namespace {

constexpr std::uint64_t kGva = 0x12345678;
constexpr std::uint64_t kFrame = 0x2345000;
constexpr std::array kModes{Mode::k32, Mode::kPae, Mode::k4Level,
                            Mode::k5Level};

mmu::GuestCpuid cpuid_of(unsigned maxphyaddr) {
  return {.maxphyaddr = static_cast<std::uint8_t>(maxphyaddr),
          .features = mmu::cpuid::kAll};
}

mmu::MachineConfig with_alias_bit_47() {
  mmu::MachineConfig config;
  config.strategy = "stolen-bits";
  config.preset = "bits:47";
  return config;
}

std::uint64_t dirty_pages(AGuest& guest) {
  return guest.machine().memslot(0)->dirty_pages;
}

}  // namespace

TEST_CASE("a walk leads to the leaf's frame and the address's offset") {
  for (const Mode mode : kModes) {
    AGuest guest(mode);
    guest.map(kGva, kFrame | kPwu);
    const Walked walked = guest.walk(kGva);
    CHECK(walked.mapped);
    CHECK(walked.gpa == (kFrame | 0x678));
    CHECK(walked.level == 1);
  }
}

TEST_CASE("a large leaf keeps the low bits of the address, and drops PAT") {
  AGuest guest(Mode::k4Level);
  guest.map(kGva, 0x40000000 | kLarge | mmu::bit(12) | kPwu, 2);
  CHECK(guest.walk(kGva).gpa == (0x40000000 | (kGva & mmu::bits(20, 0))));
  guest.map(kGva, 0x40000000 | kLarge | mmu::bit(12) | kPwu, 3);
  CHECK(guest.walk(kGva).gpa == (0x40000000 | (kGva & mmu::bits(29, 0))));
  CHECK(guest.walk(kGva).level == 3);
}

TEST_CASE("PSE-36 has address bits 35:32 in bits 16:13 of a 4M entry") {
  AGuest guest(Mode::k32);
  guest.registers.cr4 = mmu::cr4::kPse;
  REQUIRE(guest.load());
  guest.map(kGva, 0x400000 | mmu::bits(16, 13) | kLarge | kPwu, 2);
  CHECK(guest.walk(kGva).gpa == (0xf00400000 | (kGva & mmu::bits(21, 0))));
}

TEST_CASE("bit 7 of a 4-byte entry is ignored without CR4.PSE") {
  AGuest guest(Mode::k32);
  guest.map(kGva, kFrame | kPwu);
  const std::uint64_t upper = guest.entry(kGva, 2);
  guest.map(kGva, upper | kLarge, 2);
  CHECK(guest.walk(kGva).gpa == (kFrame | 0x678));
}

TEST_CASE("a walk that succeeds sets Accessed everywhere, Dirty for a write") {
  for (const Mode mode : kModes) {
    AGuest guest(mode, {}, kLogged);
    guest.map(kGva, kFrame | kPwu);
    CHECK(guest.walk(kGva).mapped);
    for (unsigned level = 1; level <= guest.top_level(); ++level) {
      CHECK((guest.entry(kGva, level) & kAccessedBit) != 0);
    }
    CHECK((guest.entry(kGva) & kDirtyBit) == 0);
    CHECK(dirty_pages(guest) == guest.top_level());
    CHECK(guest.walk(kGva, pferr::kWrite).mapped);
    CHECK((guest.entry(kGva) & kDirtyBit) != 0);
    CHECK((guest.entry(kGva, 2) & kDirtyBit) == 0);
  }
}

TEST_CASE(
    "a read of a clean page grants no write, of a dirty one it does "
    "(B84)") {
  AGuest guest(Mode::k4Level);
  guest.map(kGva, kFrame | kPwu);
  CHECK((guest.walk(kGva).granted & 2) == 0);
  CHECK((guest.entry(kGva) & (kAccessedBit | kDirtyBit)) == kAccessedBit);
  CHECK((guest.walk(kGva, pferr::kWrite).granted & 2) != 0);
  CHECK((guest.walk(kGva).granted & 2) != 0);
}

TEST_CASE("a walk that is refused writes nothing and marks nothing") {
  AGuest guest(Mode::k4Level, {}, kLogged);
  guest.map(kGva, kFrame | 1);
  const std::uint64_t upper = guest.entry(kGva, 4);
  CHECK_FALSE(guest.walk(kGva, pferr::kWrite).mapped);
  CHECK_FALSE(guest.walk(kGva, pferr::kUser).mapped);
  guest.map(kGva, 0);
  CHECK_FALSE(guest.walk(kGva).mapped);
  CHECK(guest.entry(kGva, 4) == upper);
  CHECK(dirty_pages(guest) == 0);
}

TEST_CASE("a table that maps itself is read again once its mark is made") {
  AGuest guest(Mode::k4Level, {}, kLogged);
  const std::uint64_t root = guest.registers.cr3;
  guest.store(root + 511 * 8, root | kPwu);
  const std::uint64_t gva = mmu::bits(47, 12);
  CHECK(guest.walk(gva).gpa == root);
  CHECK(guest.load_entry(root + 511 * 8) == (root | kPwu | kAccessedBit));
  CHECK(guest.walk(gva, pferr::kWrite).mapped);
  CHECK((guest.load_entry(root + 511 * 8) & kDirtyBit) != 0);
}

TEST_CASE("a table in a read-only slot keeps its marks clear, and is walked") {
  AGuest guest(Mode::k4Level);
  guest.map(kGva, kFrame | kPwu);
  mmu::Machine& machine = guest.machine();
  mmu::MemslotRegion slot =
      Slot{.bytes = AGuest::kMemory, .flags = kReadonly}.region();
  slot.slot = 1;
  REQUIRE(machine.set_memslot({.slot = 0}));
  REQUIRE(machine.set_memslot(slot));
  CHECK(guest.walk(kGva, pferr::kWrite).gpa == (kFrame | 0x678));
  CHECK(guest.entry(kGva) == (kFrame | kPwu));
}

TEST_CASE("a table out of reach reads as not present (B83)") {
  for (const mmu::HostState state :
       {mmu::HostState::kNone, mmu::HostState::kPoison}) {
    AGuest guest(Mode::k4Level);
    guest.map(kGva, kFrame | kPwu);
    const std::uint64_t table = guest.entry_at(kGva, 2) & ~mmu::bits(11, 0);
    REQUIRE(!guest.machine().set_host_mapping(
        {.hva = kHvaBase + table, .bytes = 4096, .state = state}));
    CHECK(guest.walk(kGva, pferr::kWrite).code == pferr::kWrite);
  }
  AGuest guest(Mode::k4Level);
  guest.map(kGva, AGuest::kMemory | kPwu, 2);
  CHECK(guest.walk(kGva, pferr::kUser).code == pferr::kUser);
}

TEST_CASE(
    "a table that the process may only read is walked until it has to "
    "be marked") {
  AGuest guest(Mode::k4Level);
  guest.map(kGva, kFrame | kPwu);
  const std::uint64_t table = guest.entry_at(kGva, 1) & ~mmu::bits(11, 0);
  REQUIRE(
      !guest.machine().set_host_mapping({.hva = kHvaBase + table,
                                         .bytes = 4096,
                                         .state = mmu::HostState::kReadOnly}));
  CHECK_FALSE(guest.walk(kGva).mapped);
  CHECK((guest.entry(kGva, 2) & kAccessedBit) != 0);
  guest.map(kGva, kFrame | kPwu | kAccessedBit);
  CHECK(guest.walk(kGva).mapped);
}

TEST_CASE("an address bit at MAXPHYADDR is reserved, one below is not (B77)") {
  AGuest guest(Mode::k4Level);
  guest.say(cpuid_of(46));
  guest.map(kGva, mmu::bit(46) | kPwu);
  CHECK(guest.walk(kGva, pferr::kWrite | pferr::kUser).code ==
        (pferr::kPresent | pferr::kReserved | pferr::kWrite | pferr::kUser));
  guest.map(kGva, mmu::bit(45) | kPwu);
  CHECK(guest.walk(kGva).gpa == (mmu::bit(45) | 0x678));
}

TEST_CASE("bit 13 of a 2M entry is reserved, bit 12 is its memory type (B78)") {
  AGuest guest(Mode::k4Level);
  guest.map(kGva, kLarge | kPwu | mmu::bit(12), 2);
  CHECK(guest.walk(kGva).mapped);
  guest.map(kGva, kLarge | kPwu | mmu::bit(13), 2);
  CHECK(guest.walk(kGva).code == (pferr::kPresent | pferr::kReserved));
}

TEST_CASE("bit 63 is reserved where EFER.NX is off (B80)") {
  AGuest guest(Mode::k4Level);
  guest.registers.efer &= ~mmu::efer::kNoExecute;
  REQUIRE(guest.load());
  guest.map(kGva, kFrame | kPwu | mmu::bit(63));
  CHECK(guest.walk(kGva).code == (pferr::kPresent | pferr::kReserved));
}

TEST_CASE(
    "without CR0.WP the supervisor writes where it may not, but for SMAP "
    "(B81)") {
  AGuest guest(Mode::k4Level);
  guest.registers.cr0 &= ~mmu::cr0::kWriteProtect;
  REQUIRE(guest.load());
  guest.map(kGva, kFrame | 5);
  CHECK(guest.walk(kGva, pferr::kWrite).mapped);
  CHECK_FALSE(guest.walk(kGva, pferr::kWrite | pferr::kUser).mapped);
  guest.registers.cr4 |= mmu::cr4::kSmap;
  REQUIRE(guest.load());
  CHECK_FALSE(guest.walk(kGva, pferr::kWrite).mapped);
  guest.registers.rflags |= mmu::rflags::kAlignmentCheck;
  REQUIRE(guest.load());
  CHECK(guest.walk(kGva, pferr::kWrite).mapped);
  CHECK_FALSE(guest.walk(kGva, pferr::kWrite | pferr::kImplicitAccess).mapped);
}

TEST_CASE(
    "SMEP refuses the supervisor's fetch from a user's page, and says "
    "that it was one (B82)") {
  AGuest guest(Mode::k4Level);
  guest.registers.efer &= ~mmu::efer::kNoExecute;
  guest.map(kGva, kFrame | kPwu);
  REQUIRE(guest.load());
  CHECK(guest.walk(kGva, pferr::kFetch).mapped);
  guest.registers.cr4 |= mmu::cr4::kSmep;
  REQUIRE(guest.load());
  CHECK(guest.walk(kGva, pferr::kFetch).code ==
        (pferr::kPresent | pferr::kFetch));
  CHECK(guest.walk(kGva, pferr::kFetch | pferr::kUser).mapped);
}

TEST_CASE("a protection key forbids the user's data, never a fetch") {
  AGuest guest(Mode::k4Level);
  guest.registers.cr4 |= mmu::cr4::kPke;
  guest.registers.pkru = 1u << (2 * 5);
  guest.map(kGva, kFrame | kPwu | std::uint64_t{5} << 59);
  REQUIRE(guest.load());
  CHECK(guest.walk(kGva).code == (pferr::kPresent | pferr::kProtectionKey));
  CHECK(guest.walk(kGva, pferr::kFetch | pferr::kUser).mapped);
  guest.registers.pkru = 2u << (2 * 5);
  REQUIRE(guest.load());
  CHECK(guest.walk(kGva).mapped);
  CHECK_FALSE(guest.walk(kGva, pferr::kWrite).mapped);
}

TEST_CASE("an alias bit leads to no table and reaches the address it is for") {
  for (const Mode mode : {Mode::kPae, Mode::k4Level, Mode::k5Level}) {
    AGuest guest(mode, with_alias_bit_47());
    guest.map(kGva, mmu::bit(47) | kFrame | kPwu);
    const std::uint64_t upper = guest.entry(kGva, 2);
    guest.map(kGva, upper | mmu::bit(47), 2);
    CHECK(guest.walk(kGva).gpa == (mmu::bit(47) | kFrame | 0x678));
    guest.map(kGva, mmu::bit(48) | kFrame | kPwu);
    CHECK_FALSE(guest.walk(kGva).mapped);
  }
}

TEST_CASE("32-bit tables are refused where there are alias bits") {
  AGuest guest(Mode::k4Level, with_alias_bit_47());
  mmu::GuestRegisters asked = guest.registers;
  asked.efer = 0;
  asked.cr4 = 0;
  const auto error = guest.machine().set_guest_registers(0, asked, false);
  REQUIRE(error);
  CHECK(error->code == mmu::ErrorCode::kUnsupported);
  CHECK(guest.machine().guest_registers(0).value() == guest.registers);
  mmu::NestedPaging nested{.kind = mmu::NestedPaging::Kind::kEpt,
                           .ept = {.eptp = 0x1e}};
  CHECK(guest.machine().set_nested_paging(0, nested));
}

TEST_CASE("PAE's root entries are those that were there when CR3 was loaded") {
  AGuest guest(Mode::kPae);
  guest.map(kGva, kFrame | kPwu);
  const std::uint64_t old = guest.load_entry(guest.registers.cr3);
  guest.store(guest.registers.cr3, 0);
  CHECK(guest.walk(kGva).mapped);
  REQUIRE(guest.load());
  CHECK_FALSE(guest.walk(kGva).mapped);
  guest.store(guest.registers.cr3, old);
  REQUIRE(guest.load());
  CHECK(guest.walk(kGva).mapped);
  // A malformed one keeps all four.
  guest.store(guest.registers.cr3 + 8, old | mmu::bit(5));
  guest.store(guest.registers.cr3, 0);
  REQUIRE(guest.load());
  CHECK(guest.walk(kGva).mapped);
}
