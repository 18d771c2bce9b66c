// Decoding kvm_page_fault lines, beside finding where they end.
//
// The input has the shape of a recorded boot: 140-byte lines, kernel addresses
// in rip, guest addresses over 1 GiB. To measure a recording instead, name an
// uncompressed text trace in GPALIAS_BENCH_TEXT; it is repeated up to the same
// size.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>

#include "bench/decoding.hpp"

namespace mmu::bench {
namespace {

constexpr std::size_t kTextBytes = std::size_t{32} << 20;
constexpr unsigned kMadeLines = 100'000;

std::string made_lines() {
  std::mt19937_64 random(1);
  constexpr std::array<unsigned, 4> codes{0x181, 0x182, 0x182, 0x1aa};
  std::string text = "# tracer: nop\n";
  for (unsigned i = 0; i < kMadeLines; ++i) {
    std::array<char, 256> line{};
    const auto rip = 0xffffffff81000000 + (random() & 0xffffff);
    const auto gpa = static_cast<unsigned long long>(random() & 0x3fffffff);
    std::snprintf(line.data(), line.size(),
                  "       CPU %u/KVM-%u    [%03u] ..... %5u.%06u: "
                  "kvm_page_fault: vcpu %u rip 0x%llx address 0x%016llx "
                  "error_code 0x%x\n",
                  i & 1, 1000 + (i & 1), i & 1, i / 1000, i % 1000, i & 1,
                  static_cast<unsigned long long>(rip), gpa, codes[i & 3]);
    text += line.data();
  }
  return text;
}

std::string read_or_make() {
  const char* path = std::getenv("GPALIAS_BENCH_TEXT");
  if (path == nullptr) return made_lines();
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string repeated(const std::string& once) {
  std::string many;
  while (!once.empty() && many.size() < kTextBytes) many += once;
  return many;
}

class DecodeText final : public Sides {
 public:
  std::uint64_t events() const override { return records_; }
  double engine() override {
    return seconds_of([&] { decoded_ = decode_all(); });
  }
  double floor() override {
    return seconds_of([&] {
      const char* at = text_.data();
      const char* const end = at + text_.size();
      while (at != end) {
        const auto rest = static_cast<std::size_t>(end - at);
        const void* newline = std::memchr(at, '\n', rest);
        if (newline == nullptr) break;
        at = static_cast<const char*>(newline) + 1;
      }
      keep(at);
    });
  }
  bool holds() const override { return decoded_ == records_; }

 private:
  std::uint64_t decode_all() {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text_.data());
    return decode("ftrace", {bytes, text_.size()}, batch_);
  }

  const std::string text_ = repeated(read_or_make());
  DecodedBatch batch_;
  const std::uint64_t records_ = decode_all();
  std::uint64_t decoded_ = 0;
};

void add(std::vector<Trial>& trials) {
  trials.push_back({.name = "decode-text",
                    .what = "kvm_page_fault lines into columns",
                    .beside = "finding their ends",
                    .unit = "line",
                    .bytes = kTextBytes * 3,
                    .prepare = [] { return std::make_unique<DecodeText>(); }});
}

const Enlisted enlisted(add);

}  // namespace
}  // namespace mmu::bench
