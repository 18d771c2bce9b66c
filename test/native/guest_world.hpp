// Builders for tests of guest tables: a vCPU in a mode, entries on the way to
// an address, and walks in a line.
#pragma once

#include <array>
#include <cstring>
#include <vector>

#include "core/bits.hpp"
#include "core/guest/registers.hpp"
#include "core/pferr.hpp"
#include "world.hpp"

namespace world {

enum class Mode : std::uint8_t { k32, kPae, k4Level, k5Level };

inline constexpr std::uint64_t kPwu = 7;  // present, writable, user
inline constexpr std::uint64_t kLarge = mmu::bit(7);
inline constexpr std::uint64_t kAccessedBit = mmu::bit(5);
inline constexpr std::uint64_t kDirtyBit = mmu::bit(6);

// A walk's answer, shortened: the gpa, or the code of the fault.
struct Walked {
  bool mapped = false;
  std::uint64_t gpa = 0;
  std::uint64_t code = 0;
  unsigned level = 0;
  unsigned granted = 0;
};

class AGuest {
 public:
  static constexpr std::uint64_t kTables = 16 * kMiB;
  static constexpr std::uint64_t kMemory = 64 * kMiB;

  explicit AGuest(Mode mode, mmu::MachineConfig config = {},
                  std::uint32_t flags = 0)
      : mode_(mode), machine_(vm(config)) {
    add(*machine_, {.bytes = kMemory, .flags = flags});
    root_ = new_table();
    registers.cr3 = root_;
    registers.cr0 =
        mmu::cr0::kPaging | mmu::cr0::kProtected | mmu::cr0::kWriteProtect;
    registers.efer = mmu::efer::kNoExecute;
    if (mode != Mode::k32) registers.cr4 |= mmu::cr4::kPae;
    if (mode == Mode::k4Level || mode == Mode::k5Level) {
      registers.efer |= mmu::efer::kLongMode | mmu::efer::kLongModeActive;
    }
    if (mode == Mode::k5Level) registers.cr4 |= mmu::cr4::kLa57;
    if (mode == Mode::kPae) {
      for (unsigned i = 0; i < 4; ++i) store(root_ + i * 8, new_table() | 1);
    }
    load();
  }

  mmu::Machine& machine() { return *machine_; }
  bool load() { return !machine_->set_guest_registers(0, registers, false); }
  void say(const mmu::GuestCpuid& cpuid) {
    REQUIRE(!machine_->set_guest_cpuid(0, cpuid));
  }
  std::uint64_t new_table() { return next_ += 4096; }

  void store(std::uint64_t gpa, std::uint64_t value) {
    std::array<std::byte, 8> bytes;
    std::memcpy(bytes.data(), &value, 8);
    REQUIRE(!machine_->write_guest_memory(
        gpa, std::span(bytes.data(), entry_bytes())));
  }
  std::uint64_t load_entry(std::uint64_t gpa) {
    std::array<std::byte, 8> bytes{};
    REQUIRE(!machine_->read_guest_memory(
        gpa, std::span(bytes.data(), entry_bytes())));
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), 8);
    return value;
  }

  // Where the entry of that level lies on the way to an address; tables that
  // are missing above it are made.
  std::uint64_t entry_at(std::uint64_t gva, unsigned level) {
    std::uint64_t table = root_;
    if (mode_ == Mode::kPae) {
      table = load_entry(root_ + (gva >> 30 & 3) * 8) & mmu::bits(51, 12);
    }
    for (unsigned at = top_level(); at > level; --at) {
      const std::uint64_t gpa = table + offset_of(gva, at);
      if (load_entry(gpa) == 0) store(gpa, new_table() | kPwu);
      // Without an alias bit, which leads to no table.
      table = load_entry(gpa) & mmu::bits(46, 12);
    }
    return table + offset_of(gva, level);
  }
  void map(std::uint64_t gva, std::uint64_t entry, unsigned level = 1) {
    store(entry_at(gva, level), entry);
  }
  std::uint64_t entry(std::uint64_t gva, unsigned level = 1) {
    return load_entry(entry_at(gva, level));
  }

  Walked walk(std::uint64_t gva, std::uint64_t access = 0) {
    const auto found = machine_->translate(0, gva, access, nullptr);
    REQUIRE(found);
    const mmu::GuestTranslation& at = found.value();
    return {.mapped = at.ended == mmu::GuestTranslation::Ended::kMapped,
            .gpa = at.gpa,
            .code = at.fault.error_code,
            .level = at.level,
            .granted = at.granted};
  }

  unsigned top_level() const {
    if (mode_ == Mode::k5Level) return 5;
    return mode_ == Mode::k4Level ? 4 : 2;
  }
  unsigned entry_bytes() const { return mode_ == Mode::k32 ? 4 : 8; }

  mmu::GuestRegisters registers;

 private:
  std::uint64_t offset_of(std::uint64_t gva, unsigned level) const {
    const unsigned width = mode_ == Mode::k32 ? 10 : 9;
    const std::uint64_t index =
        gva >> (12 + width * (level - 1)) & (mmu::bit(width) - 1);
    return index * entry_bytes();
  }

  Mode mode_;
  std::unique_ptr<mmu::Machine> machine_;
  std::uint64_t next_ = kTables;
  std::uint64_t root_ = 0;
};

}  // namespace world
