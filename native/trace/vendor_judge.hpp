// Decides whose error code a fault has, and afterwards whose trace it was.
//
// Almost every code tells by itself: bits above 31 are AMD's, bits 7 to 11
// Intel's; of what is left AMD's nested walk always has bit 2, and a
// qualification without a linear address never. So a code is judged on its
// own and by the exit before it on the same thread, and the judgement does not
// depend on where the trace was cut. What was judged so far says whose trace
// it is.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/address.hpp"
#include "core/bits.hpp"
#include "trace/decoder.hpp"
#include "trace/vendor.hpp"

namespace mmu::trace {

// Whose code it is; null if nobody's.
struct Judged {
  const Vendor* vendor = nullptr;
  std::uint8_t access = 0;
  bool conclusive = false;
};

class VendorJudge {
 public:
  // `forced` is null for "auto".
  explicit VendorJudge(const Vendor* forced);

  // `decided` is the vendor that the exit before the fault decides; null if
  // it does not. The address is looked at for what only a virtual one can be.
  Judged judge(std::uint64_t code, std::uint64_t address,
               const Vendor* decided) {
    if (decided != nullptr || !fits(address, kMaxAddressBits)) {
      return judge_anew(code, address, decided);
    }
    Known& known = known_[code % kKnownCodes];
    if (known.code != code || known.judged.vendor == nullptr) {
      known = {code, judge_anew(code, address, nullptr)};
    }
    return known.judged;
  }
  // Counts a fault that was judged.
  void keep(const Judged& judged, std::uint64_t code, std::uint64_t address) {
    Seen& seen = seen_[index_of(judged.vendor)];
    ++seen.faults;
    seen.conclusive += judged.conclusive ? 1 : 0;
    // Where a TDX guest's shared bit can be: the top one of 48 or 52 bits.
    const bool shared = (address & (bit(47) | bit(51))) != 0;
    const bool bare = code == kBareWrite;
    shared_faults_ += shared ? 1 : 0;
    private_faults_ += !shared && bare ? 1 : 0;
    other_faults_ += !shared && !bare ? 1 : 0;
  }
  // Counts an exit, for what its reason says; whom it decides for, if anyone.
  const Vendor* keep_exit(std::string_view reason);

  // What a code should have been.
  std::string_view expected() const;
  bool is_forced() const { return forced_ != nullptr; }
  const Vendor* forced() const { return forced_; }

  VendorGuess guess() const;
  // Faults whose code was another vendor's than the trace's; into `skipped`.
  void note(DecodeTotals& totals) const;

 private:
  struct Seen {
    std::uint64_t faults = 0;
    std::uint64_t conclusive = 0;
    std::uint64_t exits = 0;
  };
  // A judgement that needs no context, kept: a trace has few codes.
  struct Known {
    std::uint64_t code = 0;
    Judged judged;
  };
  static constexpr std::size_t kMaxVendors = 8;
  static constexpr std::size_t kKnownCodes = 64;
  // What KVM puts in place of a private TDX fault's qualification.
  static constexpr std::uint64_t kBareWrite = 0x2;

  Judged judge_anew(std::uint64_t code, std::uint64_t address,
                    const Vendor* decided) const;
  std::size_t index_of(const Vendor* vendor) const {
    return static_cast<std::size_t>(vendor - all_.data());
  }
  std::size_t leader() const;
  bool looks_like_tdx() const;

  std::span<const Vendor> all_;
  const Vendor* forced_;
  std::array<Seen, kMaxVendors> seen_{};
  std::array<Known, kKnownCodes> known_{};
  // Of qualifications, by what a TDX guest's would be.
  std::uint64_t private_faults_ = 0;  // a bare write below the shared bit
  std::uint64_t shared_faults_ = 0;   // above it
  std::uint64_t other_faults_ = 0;    // below it, and more than a bare write
};

}  // namespace mmu::trace
