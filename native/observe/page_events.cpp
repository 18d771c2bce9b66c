// Shadow pages, in every wording of KVM_MMU_PAGE_PRINTK:
//
//   sp gen 0 gfn 0 l1 8-byte q0 direct wux nxe ad root 0 sync       (v6.16)
//   sp gen 0 gfn 0 1 pae q0 direct wux !nxe root 0 sync             (4.x)
//   new sp gfn 0 4 q0 direct wux pae !nxe !wp root 0 sync           (trace-cmd)
//
// Since words only ever came and went, the text is read word by word.
#include <utility>

#include "observe/event.hpp"

namespace mmu::observe {
namespace {

enum Word : unsigned {
  kGeneration,
  kGfn,
  kLevel,
  kGpteBytes,
  kQuadrant,
  kAccess,
  kFlags,
  kRoots
};

constexpr FieldNames kPageFields = {"gen",      "gfn",    "level", "gpte_bytes",
                                    "quadrant", "access", "flags", "roots"};

// Bits of "flags": what is named without a value. Those that are not are
// printed with a mark of exclamation, or not at all.
constexpr std::pair<std::string_view, std::uint64_t> kFlagNames[] = {
    {"direct", 1},  {"invalid", 2}, {"nxe", 4}, {"ad", 8},      {"unsync", 16},
    {"new", 32},    {"!nxe", 0},    {"!ad", 0}, {"sync", 0},    {"existing", 0},
    {"cr0_wp", 64}, {"wp", 64},     {"!wp", 0}, {"!cr0_wp", 0}, {"sp", 0}};

constexpr std::size_t kAccessLength = 3;

// "wux" with dashes; in this order bits 2 to 0.
bool take_access(Fields& in, std::string_view token) {
  constexpr std::string_view kNames = "wux";
  if (token.size() != kAccessLength) return false;
  std::uint64_t access = 0;
  for (std::size_t i = 0; i < kAccessLength; ++i) {
    if (token[i] != kNames[i] && token[i] != '-') return false;
    access = access << 1 | (token[i] == '-' ? 0 : 1);
  }
  in.set(kAccess, access);
  return true;
}

bool take_number(Fields& in, Word word, std::string_view token) {
  trace::TextReader reader(token);
  std::uint64_t value = 0;
  reader.decimal(value);
  if (reader.finish().mismatch()) return false;
  in.set(word, value);
  return true;
}

bool take_flag(std::string_view token, std::uint64_t& flags) {
  for (const auto& [name, mask] : kFlagNames) {
    if (token != name) continue;
    flags |= mask;
    return true;
  }
  return false;
}

bool take_width(Fields& in, std::string_view token) {
  constexpr std::string_view kUnit = "-byte";
  if (token == "pae") {
    in.set(kGpteBytes, 8);
    return true;
  }
  if (!token.ends_with(kUnit)) return false;
  token.remove_suffix(kUnit.size());
  return take_number(in, kGpteBytes, token);
}

bool take_token(Fields& in, std::string_view token, std::uint64_t& flags) {
  if (token == "gen") {
    in.literal(" ").hex(kGeneration);
  } else if (token == "gfn") {
    in.literal(" ").hex(kGfn);
  } else if (token == "root") {
    in.literal(" ").integer(kRoots);
  } else if (token.starts_with('q')) {
    return take_number(in, kQuadrant, token.substr(1));
  } else if (token.starts_with('l')) {
    return take_number(in, kLevel, token.substr(1));
  } else {
    return take_access(in, token) || take_width(in, token) ||
           take_flag(token, flags) || take_number(in, kLevel, token);
  }
  return true;
}

void read_page(Fields& in) {
  std::uint64_t flags = 0;
  unsigned tokens = 0;
  do {
    const std::string_view token = in.next_token();
    if (token.empty()) break;
    in.expect(take_token(in, token, flags), "a word about a shadow page");
    ++tokens;
  } while (in.take(" "));
  in.expect(tokens > 4, "the words about a shadow page");
  in.set(kFlags, flags);
}

const EventEntry get({.name = "kvm_mmu_get_page",
                      .fields = kPageFields,
                      .read = read_page});
const EventEntry sync({.name = "kvm_mmu_sync_page",
                       .fields = kPageFields,
                       .read = read_page});
const EventEntry unsync({.name = "kvm_mmu_unsync_page",
                         .fields = kPageFields,
                         .read = read_page});
const EventEntry zap({.name = "kvm_mmu_prepare_zap_page",
                      .fields = kPageFields,
                      .read = read_page});

}  // namespace
}  // namespace mmu::observe
