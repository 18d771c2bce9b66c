// ns per line and per record of the trace decoders, beside their floor.
//
// The input has the shape of a recorded boot: 140-byte lines, kernel
// addresses in rip, guest addresses over 1 GiB. To measure a recording
// instead, name an uncompressed text trace in GPALIAS_BENCH_TEXT; it is
// repeated up to the same size. The floors walk the same bytes and do nothing
// else: look for line ends, or add up every 8 bytes.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "core/event.hpp"
#include "trace/decoder.hpp"

namespace {

constexpr std::size_t kTextBytes = std::size_t{32} << 20;
constexpr std::size_t kRecords = std::size_t{1} << 20;
constexpr std::size_t kChunk = std::size_t{256} << 10;
constexpr std::size_t kBatch = 65536;

using Bytes = std::span<const std::uint8_t>;

std::string made_lines() {
  std::mt19937_64 random(1);
  constexpr std::array<unsigned, 4> codes{0x181, 0x182, 0x182, 0x1aa};
  std::string text = "# tracer: nop\n";
  for (unsigned i = 0; i < 100000; ++i) {
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

const std::string& text() {
  static const std::string whole = [] {
    const std::string once = read_or_make();
    std::string many;
    while (!once.empty() && many.size() < kTextBytes) many += once;
    return many;
  }();
  return whole;
}

const std::vector<std::uint8_t>& records() {
  static const std::vector<std::uint8_t> whole = [] {
    std::mt19937_64 random(2);
    std::vector<std::uint8_t> bytes(kRecords * 32);
    for (std::size_t i = 0; i < kRecords; ++i) {
      const std::uint64_t fields[] = {i * 1000, random() & 0x3fffffff,
                                      0xffffffff81000000 + i, 0x2};
      std::memcpy(bytes.data() + i * 32, fields, 32);
    }
    return bytes;
  }();
  return whole;
}

struct Batch {
  std::vector<double> doubles = std::vector<double>(3 * kBatch);
  std::vector<std::uint16_t> vcpu = std::vector<std::uint16_t>(kBatch);
  std::vector<std::uint8_t> small = std::vector<std::uint8_t>(2 * kBatch);

  mmu::trace::EventSink sink() {
    return {.gpa = doubles.data(),
            .bytes = doubles.data() + kBatch,
            .error_code = doubles.data() + 2 * kBatch,
            .vcpu = vcpu.data(),
            .kind = small.data(),
            .access = small.data() + kBatch,
            .capacity = kBatch};
  }
};

// Rows of the whole input, fed in chunks as a file reader would; 0 if the
// decoder refuses it.
std::uint64_t decode(std::string_view format, Bytes input, Batch& batch) {
  const auto decoder = mmu::trace::make_decoder(format);
  std::size_t at = 0;
  while (at < input.size()) {
    mmu::trace::EventSink sink = batch.sink();
    const Bytes chunk = input.subspan(at, std::min(kChunk, input.size() - at));
    const bool last = at + chunk.size() == input.size();
    const auto step = decoder->decode(chunk, last, sink);
    if (step.failed) return 0;
    at += step.consumed;
    benchmark::DoNotOptimize(batch.doubles.data());
    benchmark::ClobberMemory();
  }
  return decoder->totals().records;
}

void report(benchmark::State& state, std::uint64_t items, std::size_t bytes) {
  state.SetItemsProcessed(static_cast<std::int64_t>(items));
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(bytes));
  state.counters["per_item"] = benchmark::Counter(
      static_cast<double>(items),
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void run(benchmark::State& state, std::string_view format, Bytes input) {
  Batch batch;
  std::uint64_t rows = 0;
  for (auto _ : state) {
    const std::uint64_t now = decode(format, input, batch);
    if (now == 0) return state.SkipWithError("the decoder refused the input");
    rows += now;
  }
  report(state, rows, input.size());
}

void ftrace(benchmark::State& state) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text().data());
  run(state, "ftrace", {bytes, text().size()});
}
BENCHMARK(ftrace)->Name("decode/ftrace")->Unit(benchmark::kMillisecond);

void floor_of_lines(benchmark::State& state) {
  std::uint64_t lines = 0;
  for (auto _ : state) {
    const char* at = text().data();
    const char* const end = at + text().size();
    while (at != end) {
      const auto rest = static_cast<std::size_t>(end - at);
      const void* newline = std::memchr(at, '\n', rest);
      if (newline == nullptr) break;
      at = static_cast<const char*>(newline) + 1;
      ++lines;
    }
    benchmark::DoNotOptimize(at);
  }
  report(state, lines, text().size());
}
BENCHMARK(floor_of_lines)
    ->Name("decode/ftrace-floor")
    ->Unit(benchmark::kMillisecond);

void binary(benchmark::State& state) { run(state, "binary", records()); }
BENCHMARK(binary)->Name("decode/binary")->Unit(benchmark::kMillisecond);

void floor_of_records(benchmark::State& state) {
  const std::vector<std::uint8_t>& bytes = records();
  std::uint64_t sum = 0;
  for (auto _ : state) {
    for (std::size_t i = 0; i < bytes.size(); i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data() + i, 8);
      sum += word;
    }
    benchmark::DoNotOptimize(sum);
  }
  const auto rounds = static_cast<std::uint64_t>(state.iterations());
  report(state, kRecords * rounds, bytes.size());
}
BENCHMARK(floor_of_records)
    ->Name("decode/binary-floor")
    ->Unit(benchmark::kMillisecond);

}  // namespace
