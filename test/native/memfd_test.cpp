// Slots over a guest_memfd: which ones KVM makes, and what it says of the rest.
#include "slot_world.hpp"

using mmu::ErrorCode;
using mmu::MemslotRegion;
using world::kGiB;
using world::kMiB;
using world::kPage;
using world::Setup;

namespace {

std::unique_ptr<mmu::Machine> pvm() {
  return world::vm(world::with_kernel(mmu::Kernel::kPvm618));
}

std::unique_ptr<mmu::Machine> pvm_with_file(std::uint64_t bytes) {
  auto machine = pvm();
  const auto file = machine->create_guest_memfd(bytes, 0);
  REQUIRE(file);
  CHECK(file.value() == 0);
  return machine;
}

MemslotRegion bound(std::uint32_t slot, std::uint64_t gpa,
                    std::uint64_t offset) {
  MemslotRegion region =
      world::Slot{
          .id = slot, .gpa = gpa, .bytes = kMiB, .flags = world::kWithMemfd}
          .region();
  region.memfd = 0;
  region.memfd_offset = offset;
  return region;
}

// Refused, and nothing has changed.
std::string refused(mmu::Machine& machine, const MemslotRegion& region) {
  const std::string before = world::dump(machine);
  const auto done = machine.set_memslot(region);
  REQUIRE(!done);
  CHECK(world::dump(machine) == before);
  const mmu::ErrorInfo& info = mmu::info(done.error().code);
  return std::string(info.name) + " " + std::string(info.errno_name);
}

}  // namespace

TEST_CASE(
    "a guest_memfd has a positive whole number of pages and known flags") {
  const auto old = world::vm(world::with_kernel(mmu::Kernel::k510));
  CHECK(old->create_guest_memfd(kPage, 0).error().code ==
        ErrorCode::kUnsupported);
  const auto machine = pvm();
  for (const std::uint64_t bytes :
       {std::uint64_t{0}, std::uint64_t{1}, kPage + 0x800, mmu::bit(63)}) {
    CHECK(machine->create_guest_memfd(bytes, 0).error().code ==
          ErrorCode::kGuestMemfd);
  }
  CHECK(machine->create_guest_memfd(kPage, 4).error().code ==
        ErrorCode::kGuestMemfd);
  CHECK(machine->create_guest_memfd(kPage, 3).value() == 0);
  CHECK(machine->create_guest_memfd(kPage, 0).value() == 1);
  CHECK(world::vm()->create_guest_memfd(kPage, 1).error().code ==
        ErrorCode::kGuestMemfd);
}

TEST_CASE(
    "a binding names a file of the VM, a part of it, and one of nobody's") {
  const auto machine = pvm_with_file(4 * kMiB);
  MemslotRegion region = bound(0, 0, kMiB);
  REQUIRE(machine->set_memslot(region));
  CHECK(machine->memslot(0)->memfd == 0);
  CHECK(machine->memslot(0)->memfd_offset == kMiB);
  region = bound(1, kGiB, 0);
  region.memfd = MemslotRegion::kNoFile;
  CHECK(refused(*machine, region) == "ERR_MEMSLOT_BAD_FD EBADF");
  region.memfd = 1;
  CHECK(refused(*machine, region) == "ERR_MEMSLOT_BAD_FD EBADF");
  region.memfd = MemslotRegion::kOtherFile;
  CHECK(refused(*machine, region) == "ERR_MEMSLOT_MEMFD EINVAL");
  for (const std::uint64_t offset :
       {kMiB, kPage, 2 * kMiB - kPage, 3 * kMiB + kPage, kPage / 2,
        ~std::uint64_t{kMiB - 1}, ~std::uint64_t{0xfff}}) {
    CAPTURE(offset);
    CHECK(refused(*machine, bound(1, kGiB, offset)) ==
          "ERR_MEMSLOT_MEMFD EINVAL");
  }
  REQUIRE(machine->set_memslot(bound(1, kGiB, 0)));
  REQUIRE(machine->set_memslot(bound(2, 2 * kGiB, 3 * kMiB)));
}

TEST_CASE("a bound slot is neither logged, read-only, moved nor made again") {
  const auto machine = pvm_with_file(kMiB);
  for (const std::uint32_t more : {world::kLogged, world::kReadonly}) {
    MemslotRegion region = bound(0, 0, 0);
    region.flags |= more;
    CHECK(refused(*machine, region) == "ERR_MEMSLOT_FLAGS EINVAL");
  }
  REQUIRE(machine->set_memslot(bound(0, 0, 0)));
  CHECK(refused(*machine, bound(0, 0, 0)) == "ERR_MEMSLOT_IMMUTABLE EINVAL");
  CHECK(refused(*machine, bound(0, kGiB, 0)) == "ERR_MEMSLOT_IMMUTABLE EINVAL");
  MemslotRegion region = bound(0, 0, 0);
  region.flags = 0;
  CHECK(refused(*machine, region) == "ERR_MEMSLOT_IMMUTABLE EINVAL");
  world::operate(*machine, mmu::EventKind::kDirtyLogEnable);
  CHECK(machine->memslot(0)->flags == world::kWithMemfd);
}

TEST_CASE("a slot that goes gives its part of the file back") {
  const auto machine = pvm_with_file(kMiB);
  REQUIRE(machine->set_memslot(bound(0, 0, 0)));
  MemslotRegion region = bound(0, 0, 0);
  region.bytes = 0;
  REQUIRE(machine->set_memslot(region));
  REQUIRE(machine->set_memslot(bound(1, kGiB, 0)));
}

TEST_CASE("in 6.16 only a VM with private memory binds files") {
  const auto bind = [](mmu::Machine& machine) {
    REQUIRE(machine.create_guest_memfd(kMiB, 0));
    const auto done = machine.set_memslot(bound(0, 0, 0));
    return done ? "0" : std::string(mmu::info(done.error().code).name);
  };
  CHECK(bind(*world::vm()) == "ERR_MEMSLOT_FLAGS");
  for (const std::string_view strategy : {"mirror", "precise"}) {
    CHECK(bind(*world::vm(Setup{.strategy = strategy, .preset = "tdx47"})) ==
          "0");
  }
  CHECK(bind(*world::vm(Setup{.strategy = "role-private",
                              .preset = "tdx47"})) == "ERR_MEMSLOT_FLAGS");
  CHECK(bind(*world::vm(Setup{.strategy = "precise"})) == "ERR_MEMSLOT_FLAGS");
}
