#include "core/alias/alias_space.hpp"

#include <bit>
#include <optional>

#include "core/parse_number.hpp"

namespace mmu {
namespace {

std::string quoted(std::string_view text) {
  return '"' + std::string(text) + '"';
}

// `rest` completes the sentence that the preset's name begins.
Error refuse(std::string_view preset, const std::string& rest) {
  return {ErrorCode::kConfig, {}, "alias preset " + quoted(preset) + rest};
}

Result<unsigned> check_bit(std::string_view preset, std::uint64_t bit) {
  if (bit >= AliasSpace::kLowestBit && bit <= AliasSpace::kHighestBit) {
    return static_cast<unsigned>(bit);
  }
  return refuse(preset, " must name bits from " +
                            std::to_string(AliasSpace::kLowestBit) + " to " +
                            std::to_string(AliasSpace::kHighestBit) + ", got " +
                            std::to_string(bit));
}

Result<unsigned> parse_bit(std::string_view preset, std::string_view text) {
  const auto bit = parse_decimal(text);
  if (bit) return check_bit(preset, *bit);
  return refuse(preset, " needs a decimal bit number, got " + quoted(text));
}

std::optional<std::uint64_t> parse_address(std::string_view text) {
  constexpr std::string_view kUnits = "KMGT";
  const std::size_t unit =
      text.empty() ? std::string_view::npos : kUnits.find(text.back());
  const bool scaled = unit != std::string_view::npos;
  if (scaled) text.remove_suffix(1);
  const unsigned shift = scaled ? 10 * (static_cast<unsigned>(unit) + 1) : 0;
  const bool hex = text.starts_with("0x");
  const auto value =
      hex ? parse_number(text.substr(2), 16) : parse_decimal(text);
  if (!value || !fits(*value, 64 - shift)) return std::nullopt;
  return *value << shift;
}

// The bit that an address with no other bit set has.
Result<unsigned> parse_vtom(std::string_view preset, std::string_view text) {
  const auto address = parse_address(text);
  if (!address) {
    return refuse(preset, " needs an address, got " + quoted(text));
  }
  if (!std::has_single_bit(*address)) {
    return refuse(preset, " needs a power of two, got " +
                              std::to_string(*address) + " bytes");
  }
  return check_bit(preset, static_cast<unsigned>(std::countr_zero(*address)));
}

// The address space of `bits` bits has its alias bit at the top.
Result<unsigned> parse_cca(std::string_view preset, std::string_view text) {
  constexpr unsigned kLeast = AliasSpace::kLowestBit + 1;
  constexpr unsigned kMost = AliasSpace::kHighestBit + 1;
  const auto width = parse_decimal(text);
  if (width && *width >= kLeast && *width <= kMost) {
    return static_cast<unsigned>(*width) - 1;
  }
  return refuse(preset, " needs a width of " + std::to_string(kLeast) + " to " +
                            std::to_string(kMost) + " ipa bits, got " +
                            quoted(text));
}

// A mask of gpa bits.
Result<std::uint64_t> parse_bits(std::string_view preset,
                                 std::string_view text) {
  std::uint64_t mask = 0;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    const Result<unsigned> found = parse_bit(preset, text.substr(0, comma));
    if (!found) return found.error();
    if ((mask & bit(found.value())) != 0) {
      return refuse(preset,
                    " names bit " + std::to_string(found.value()) + " twice");
    }
    mask |= bit(found.value());
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
  }
  return mask;
}

// Whether the bits of the mask follow each other and are not too many.
Result<std::uint64_t> check_top(std::string_view preset, std::uint64_t mask) {
  const auto low = static_cast<unsigned>(std::countr_zero(mask));
  const auto lowest_gap =
      low + static_cast<unsigned>(std::countr_one(mask >> low));
  if (!fits(mask, lowest_gap)) {
    return refuse(preset, " must name the top bits: " +
                              std::to_string(lowest_gap) + " lies between");
  }
  const auto count = static_cast<unsigned>(std::popcount(mask));
  if (count <= AliasSpace::kMostBits) return mask;
  return refuse(preset, " names " + std::to_string(count) +
                            " bits, the most is " +
                            std::to_string(AliasSpace::kMostBits));
}

// The space whose alias bits are the ones of `mask`, a mask of gpa bits.
AliasSpace make_space(std::string_view preset, PresetKind kind,
                      std::uint64_t mask) {
  AliasSpace space;
  space.kind = kind;
  space.preset = preset;
  space.address_bits = static_cast<unsigned>(std::bit_width(mask));
  // Four levels translate 48 bits.
  space.root_level = space.address_bits <= 48 ? 4 : 5;
  if (kind == PresetKind::kStripped) {
    space.stripped_mask = mask >> kPageShift;
  } else {
    space.bit_count = static_cast<unsigned>(std::popcount(mask));
    space.low_bit = static_cast<unsigned>(std::countr_zero(mask));
  }
  return space;
}

// Presets with one bit, whose name and argument a colon separates.
struct Family {
  std::string_view name;
  PresetKind kind;
  bool execute_only;
  Result<unsigned> (*parse)(std::string_view preset, std::string_view text);
};

constexpr Family kFamilies[] = {
    {"xo:", PresetKind::kAttribute, true, parse_bit},
    {"sev:", PresetKind::kStripped, false, parse_bit},
    {"hyperv:", PresetKind::kPrivateShared, false, parse_bit},
    {"vtom:", PresetKind::kPrivateShared, false, parse_vtom},
    {"cca:", PresetKind::kPrivateShared, false, parse_cca},
};

Result<AliasSpace> make_family(const Family& family, std::string_view text) {
  const auto found = family.parse(text, text.substr(family.name.size()));
  if (!found) return found.error();
  AliasSpace space = make_space(text, family.kind, bit(found.value()));
  space.execute_only = family.execute_only;
  return space;
}

Result<AliasSpace> make_bits(std::string_view text, std::string_view list) {
  const auto named = parse_bits(text, list);
  if (!named) return named.error();
  const auto mask = check_top(text, named.value());
  if (!mask) return mask.error();
  return make_space(text, PresetKind::kAttribute, mask.value());
}

}  // namespace

Result<AliasSpace> parse_preset(std::string_view text) {
  constexpr std::string_view kBits = "bits:";
  if (text == "none") return AliasSpace{};
  if (text == "tdx47") {
    return make_space(text, PresetKind::kPrivateShared, bit(47));
  }
  if (text == "tdx51") {
    return make_space(text, PresetKind::kPrivateShared, bit(51));
  }
  if (text.starts_with(kBits)) {
    return make_bits(text, text.substr(kBits.size()));
  }
  for (const Family& family : kFamilies) {
    if (text.starts_with(family.name)) return make_family(family, text);
  }
  return refuse(text,
                " is none of none, tdx47, tdx51, xo:<bit>, sev:<bit>, "
                "hyperv:<bit>, vtom:<address>, cca:<ipa bits> and "
                "bits:<bit>[,<bit>...]");
}

}  // namespace mmu
