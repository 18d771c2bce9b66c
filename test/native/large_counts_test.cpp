// Counts that only a guest of terabytes reaches.
#include "audited_world.hpp"

TEST_CASE("an event that changes 2^32 entries says so, and not none") {
  world::Audited vm(world::Setup{.preset = "none"});
  const std::uint64_t before = vm.mmu().accounts.changed;
  vm.mmu().accounts.changed = before + mmu::bit(32);
  CHECK(mmu::done_since(vm.mmu(), before).sptes_changed == 0xffffffff);
  vm.mmu().accounts.changed = before + mmu::bit(32) - 1;
  CHECK(mmu::done_since(vm.mmu(), before).sptes_changed == 0xffffffff);
  vm.mmu().accounts.changed = before + 7;
  CHECK(mmu::done_since(vm.mmu(), before).sptes_changed == 7);
}
