#include "trace/vendor_judge.hpp"

#include <algorithm>

namespace mmu::trace {
namespace {

constexpr std::string_view kPrivateNote =
    "note: private TDX fault, read or write unknown";
constexpr std::string_view kIntel = "intel";
constexpr std::string_view kTdx = "tdx";

// Certainty where codes that only this hardware gives, or its exits, were
// seen; and where nothing but the shape of the codes speaks for it.
constexpr double kShown = 0.99;
constexpr double kShaped = 0.7;

std::string note_of(const Vendor& vendor) {
  return "note: error code of " + std::string(vendor.name);
}

}  // namespace

VendorJudge::VendorJudge(const Vendor* forced)
    : all_(vendors().first(std::min(vendors().size(), kMaxVendors))),
      forced_(forced) {}

Judged VendorJudge::judge_anew(std::uint64_t code, std::uint64_t address,
                               const Vendor* decided) const {
  const auto as = [&](const Vendor* vendor) {
    return Judged{vendor, vendor->access(code), vendor->conclusive(code)};
  };
  if (forced_ && as(forced_).access != 0) return as(forced_);
  for (const Vendor& vendor : all_) {
    if (vendor.conclusive(code)) return as(&vendor);
  }
  if (decided && as(decided).access != 0) return as(decided);
  if (forced_) return {};
  const bool is_virtual = !fits(address, kMaxAddressBits);
  for (const Vendor& vendor : all_) {
    if (is_virtual && !vendor.is_virtual) continue;
    if (as(&vendor).access != 0) return as(&vendor);
  }
  return {};
}

const Vendor* VendorJudge::keep_exit(std::string_view reason) {
  const Vendor* decided = nullptr;
  for (const Vendor& vendor : all_) {
    if (vendor.exits(reason)) ++seen_[index_of(&vendor)].exits;
    if (vendor.decides && vendor.decides(reason)) decided = &vendor;
  }
  return decided;
}

std::string_view VendorJudge::expected() const {
  return forced_ ? forced_->expected
                 : "an exit qualification of Intel, a nested page fault code "
                   "of AMD, or a #PF code";
}

VendorGuess VendorJudge::guess() const {
  if (forced_) return {std::string(forced_->name), 1, "it was said"};
  std::uint64_t faults = 0;
  for (const Seen& seen : seen_) faults += seen.faults;
  const std::size_t best = leader();
  const Seen& seen = seen_[best];
  if (seen.faults + seen.exits == 0) return {};
  const bool shown = seen.conclusive + seen.exits > 0;
  const double share = faults == 0 ? 1
                                   : static_cast<double>(seen.faults) /
                                         static_cast<double>(faults);
  const std::string_view name = looks_like_tdx() ? kTdx : all_[best].name;
  return {std::string(name), share * (shown ? kShown : kShaped),
          std::to_string(seen.faults) + " of " + std::to_string(faults) +
              " error codes read so, " + std::to_string(seen.conclusive) +
              " no other way, and " + std::to_string(seen.exits) +
              " exits name it"};
}

void VendorJudge::note(DecodeTotals& totals) const {
  const Vendor* const home = forced_ ? forced_ : &all_[leader()];
  for (const Vendor& vendor : all_) {
    const std::uint64_t faults = seen_[index_of(&vendor)].faults;
    const bool strange = &vendor != home && faults > 0 && !vendor.is_virtual;
    if (strange) totals.skipped[note_of(vendor)] = faults;
    if (!strange) totals.skipped.erase(note_of(vendor));
  }
  const bool is_tdx = forced_ ? forced_->name == kTdx : looks_like_tdx();
  if (is_tdx && private_faults_ > 0) {
    totals.skipped[std::string(kPrivateNote)] = private_faults_;
  } else {
    totals.skipped.erase(std::string(kPrivateNote));
  }
}

// The vendor of most faults; of most exits, if there are no faults.
std::size_t VendorJudge::leader() const {
  const auto better = [](const Seen& a, const Seen& b) {
    return a.faults != b.faults ? a.faults < b.faults : a.exits < b.exits;
  };
  const auto best = std::max_element(seen_.begin(), seen_.end(), better);
  return static_cast<std::size_t>(best - seen_.begin());
}

// Private pages show a bare write and nothing else, shared ones a
// qualification above the shared bit.
bool VendorJudge::looks_like_tdx() const {
  if (all_[leader()].name != kIntel) return all_[leader()].name == kTdx;
  const Vendor* const tdx = find_vendor(kTdx);
  if (tdx != nullptr && seen_[index_of(tdx)].exits > 0) return true;
  return private_faults_ > 0 && shared_faults_ > 0 && other_faults_ == 0;
}

}  // namespace mmu::trace
