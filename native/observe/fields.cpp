#include "observe/fields.hpp"

#include <algorithm>

namespace mmu::observe {
namespace {

struct Flag {
  std::string_view name;
  std::uint64_t mask;
};

// KVM: kvm_mmu_trace_pferr_flags.
constexpr Flag kErrorFlags[] = {
    {"P", 1}, {"W", 2}, {"U", 4}, {"RSVD", 8}, {"F", 16}};

// The bits of a name, or of a number; false if it is neither.
bool flag_of(std::string_view word, std::uint64_t& mask) {
  for (const Flag& flag : kErrorFlags) {
    if (word == flag.name) {
      mask = flag.mask;
      return true;
    }
  }
  trace::TextReader reader(word);
  reader.literal("0x").hex(mask);
  return !reader.finish().mismatch();
}

}  // namespace

std::uint64_t Texts::number_of(std::string_view text) {
  const auto found = std::ranges::find(texts_, text);
  if (found != texts_.end()) {
    return static_cast<std::uint64_t>(found - texts_.begin());
  }
  if (texts_.size() >= kMost || text.size() > kMostBytes) return 0;
  texts_.emplace_back(text);
  return texts_.size() - 1;
}

void Fields::step(std::size_t bytes) {
  char c = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    c = *reader_.at();
    reader_.take(c);
  }
}

Fields& Fields::hex(unsigned word) {
  take("0x");
  std::uint64_t value = 0;
  reader_.hex(value);
  words_.set(word, value);
  return *this;
}

Fields& Fields::decimal(unsigned word) {
  std::uint64_t value = 0;
  reader_.decimal(value);
  words_.set(word, value);
  return *this;
}

Fields& Fields::integer(unsigned word) {
  const bool negative = take("-");
  std::uint64_t value = 0;
  reader_.decimal(value);
  words_.set(word, negative ? 0 - value : value);
  return *this;
}

Fields& Fields::text_before(unsigned word, std::string_view end) {
  if (reader_.mismatch()) return *this;
  const std::size_t bytes = left().find(end);
  expect(bytes != std::string_view::npos, "a text and what follows it");
  if (reader_.mismatch()) return *this;
  set_text(word, left().substr(0, bytes));
  step(bytes);
  return *this;
}

Fields& Fields::pointer(unsigned word) {
  const std::string_view token = next_token();
  trace::TextReader reader(token);
  std::uint64_t value = 0;
  reader.take("0x");
  reader.hex(value);
  expect(!token.empty(), "a pointer");
  words_.set(word, reader.finish().mismatch() ? 0 : value);
  return *this;
}

Fields& Fields::error_flags(unsigned word) {
  std::string_view token = next_token();
  std::uint64_t code = 0;
  while (!token.empty()) {
    const std::size_t bar = std::min(token.find('|'), token.size());
    std::uint64_t mask = 0;
    expect(flag_of(token.substr(0, bar), mask), "names of error code bits");
    code |= mask;
    token.remove_prefix(std::min(bar + 1, token.size()));
  }
  words_.set(word, code);
  return *this;
}

Fields& Fields::rights(unsigned word) {
  constexpr std::string_view kNames = "rwxu";
  std::uint64_t value = 0;
  for (const char name : kNames) {
    const bool has = !reader_.mismatch() && reader_.take(name);
    expect(has || reader_.take('-'), "rights as rwxu, with dashes");
    value = value << 1 | (has ? 1 : 0);
  }
  words_.set(word, value);
  return *this;
}

std::string_view Fields::next_token() {
  if (reader_.mismatch()) return {};
  const std::string_view text = left();
  const std::size_t bytes = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view token = text.substr(0, bytes);
  step(bytes);
  return token;
}

Fields& Fields::rest() {
  if (!reader_.mismatch()) step(left().size());
  return *this;
}

}  // namespace mmu::observe
