// An alias preset: which bits of a gpa are alias bits, and what they mean.
//
// A preset is data that every strategy is handed; what a strategy makes of it
// is its own affair. No address bit lies above an alias bit, so the alias of a
// frame is the number above its canonical part.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/address.hpp"
#include "core/error.hpp"

namespace mmu {

enum class PresetKind : std::uint8_t {
  // No alias bits.
  kNone,
  // All aliases of a page lead to the same memory, with other rights perhaps.
  kAttribute,
  // Alias 0 is private memory, alias 1 shared memory.
  kPrivateShared,
  // Hardware clears the bit before anybody sees it.
  kStripped,
};

struct AliasSpace {
  // With the lowest of them a gpa is 32 bits wide, the least that a VM has.
  static constexpr unsigned kLowestBit = 31;
  static constexpr unsigned kHighestBit = kMaxAddressBits - 1;
  static constexpr unsigned kMostBits = 4;

  PresetKind kind = PresetKind::kNone;
  // Alias 1 may only fetch.
  bool execute_only = false;
  // 0 to 4; 0 for kNone and kStripped.
  unsigned bit_count = 0;
  // Position in a gpa of the lowest alias bit; of no use without alias bits.
  unsigned low_bit = kPageShift;
  // Width of a gpa with its alias bits, and the level of the root; both 0
  // where the preset leaves them open.
  unsigned address_bits = 0;
  unsigned root_level = 0;
  // The bits of a frame number that hardware clears; 0 but for kStripped.
  std::uint64_t stripped_mask = 0;
  // As it was written.
  std::string preset = "none";

  // Of a frame number, as the next ones.
  constexpr std::uint64_t gfn_mask() const {
    return offset_of(alias_count()) - offset_of(1);
  }
  constexpr unsigned alias_count() const { return 1u << bit_count; }
  constexpr unsigned alias_of(AliasedGfn issued) const {
    return static_cast<unsigned>((issued.value & gfn_mask()) >>
                                 (low_bit - kPageShift));
  }
  // Frames between a canonical frame and what `alias` calls it.
  constexpr std::uint64_t offset_of(unsigned alias) const {
    return std::uint64_t{alias} << (low_bit - kPageShift);
  }
  // Whether a frame has an alias bit set.
  constexpr bool is_aliased(std::uint64_t frame) const {
    return (frame & gfn_mask()) != 0;
  }
  constexpr Gfn strip(AliasedGfn issued) const {
    return {issued.value & ~gfn_mask()};
  }
  constexpr AliasedGfn issue(Gfn gfn, unsigned alias) const {
    return {gfn.value | offset_of(alias)};
  }
  // Of an address that has so many bits with its alias bits: the guest's own
  // MAXPHYADDR.
  constexpr unsigned width_without_aliases(unsigned address_bits) const {
    return bit_count == 0 ? address_bits : low_bit;
  }
  // What is left of a frame once it is on the bus: walks, faults and TLBs
  // start from it.
  constexpr AliasedGfn as_hardware_sees(AliasedGfn issued) const {
    return {issued.value & ~stripped_mask};
  }
};

// none, tdx47, tdx51, xo:<bit>, sev:<bit>, hyperv:<bit>, vtom:<address>,
// cca:<ipa bits>, bits:<b>[,<b>...]. Refusals are kConfig and quote the text.
//
// An address is decimal or 0x-hexadecimal; a K, M, G or T behind it counts in
// powers of 1024.
Result<AliasSpace> parse_preset(std::string_view text);

}  // namespace mmu
