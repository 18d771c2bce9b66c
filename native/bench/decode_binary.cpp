// Decoding binary records, beside adding up their words.
#include <cstring>
#include <random>

#include "bench/decoding.hpp"

namespace mmu::bench {
namespace {

constexpr std::size_t kRecords = std::size_t{1} << 20;
constexpr std::size_t kRecordBytes = 32;

std::vector<std::uint8_t> made_records() {
  std::mt19937_64 random(2);
  std::vector<std::uint8_t> bytes(kRecords * kRecordBytes);
  for (std::size_t i = 0; i < kRecords; ++i) {
    const std::uint64_t fields[] = {i * 1000, random() & 0x3fffffff,
                                    0xffffffff81000000 + i, 0x2};
    static_assert(sizeof(fields) == kRecordBytes);
    std::memcpy(bytes.data() + i * kRecordBytes, fields, kRecordBytes);
  }
  return bytes;
}

class DecodeBinary final : public Sides {
 public:
  std::uint64_t events() const override { return kRecords; }
  double engine() override {
    return seconds_of([&] { rows_ = decode("binary", bytes_, batch_); });
  }
  double floor() override {
    return seconds_of([&] {
      std::uint64_t sum = 0;
      for (std::size_t i = 0; i < bytes_.size(); i += sizeof(sum)) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes_.data() + i, sizeof(word));
        sum += word;
      }
      keep(&sum);
    });
  }
  bool holds() const override { return rows_ == kRecords; }

 private:
  const std::vector<std::uint8_t> bytes_ = made_records();
  DecodedBatch batch_;
  std::uint64_t rows_ = 0;
};

void add(std::vector<Trial>& trials) {
  trials.push_back(
      {.name = "decode-binary",
       .what = "binary records into columns",
       .beside = "adding up their words",
       .unit = "record",
       .bytes = kRecords * kRecordBytes * 2,
       .prepare = [] { return std::make_unique<DecodeBinary>(); }});
}

const Enlisted enlisted(add);

}  // namespace
}  // namespace mmu::bench
