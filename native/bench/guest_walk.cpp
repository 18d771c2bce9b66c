// Batches of walks of a guest's own four-level tables, beside the loads that no
// walk can do without: each entry's address comes from the entry above it.
//
// Both read tables of one layout, and write an address a row. The floor knows
// where guest memory lies, asks no slot, and checks nothing. There are two: one
// address after the other, as an out-of-order core overlaps them by itself, and
// sixteen side by side.
#include <cstring>
#include <random>

#include "bench/guest_tables.hpp"
#include "bench/huge_arena.hpp"
#include "bench/pages.hpp"
#include "bench/writes.hpp"

namespace mmu::bench {
namespace {

constexpr std::size_t kRows = 1 << 20;
constexpr std::size_t kLanes = 16;

class Floor {
 public:
  explicit Floor(const GuestTables& tables)
      : arena_(tables.bytes().size()),
        base_(arena_.base() - tables.start()),
        root_(tables.root()) {
    std::memcpy(arena_.base(), tables.bytes().data(), tables.bytes().size());
  }

  void one_by_one(std::span<const std::uint64_t> gva, double* out) const {
    for (std::size_t i = 0; i < gva.size(); ++i) {
      std::uint64_t at = root_;
      for (unsigned shift = 39; shift >= 12; shift -= 9) {
        at = load(at, gva[i], shift);
      }
      out[i] = static_cast<double>(at & GuestTables::kFrame);
    }
  }
  void abreast(std::span<const std::uint64_t> gva, double* out) const {
    for (std::size_t i = 0; i < gva.size(); i += kLanes) {
      std::uint64_t at[kLanes];
      for (std::uint64_t& lane : at) lane = root_;
      for (unsigned shift = 39; shift >= 12; shift -= 9) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
          at[lane] = load(at[lane], gva[i + lane], shift);
        }
      }
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        out[i + lane] = static_cast<double>(at[lane] & GuestTables::kFrame);
      }
    }
  }

 private:
  std::uint64_t load(std::uint64_t entry, std::uint64_t gva,
                     unsigned shift) const {
    std::uint64_t word = 0;
    const std::uint64_t table = entry & GuestTables::kFrame;
    std::memcpy(&word, base_ + table + (gva >> shift & 511) * 8, 8);
    return word;
  }

  HugeArena arena_;
  const std::uint8_t* base_;
  std::uint64_t root_;
};

using Walk = void (Floor::*)(std::span<const std::uint64_t>, double*) const;

std::unique_ptr<Machine> machine_with(const GuestTables& tables) {
  const std::uint64_t bytes = tables.start() + tables.bytes().size();
  auto machine = machine_of((bytes + kPageSize - 1) / kPageSize * kPageSize);
  expect(!machine->write_guest_memory(tables.start(), tables.bytes()),
         "writing the guest's tables");
  GuestRegisters registers;
  registers.cr0 = cr0::kPaging | cr0::kProtected;
  registers.cr3 = tables.root();
  registers.cr4 = cr4::kPae;
  registers.efer = efer::kLongMode | efer::kLongModeActive | efer::kNoExecute;
  expect(!machine->set_guest_registers(0, registers, false),
         "setting the guest's registers");
  return machine;
}

template <Walk walk>
class GuestWalks final : public Sides {
 public:
  explicit GuestWalks(std::uint64_t bytes)
      : GuestWalks(bytes, GuestTables(bytes)) {}

  std::uint64_t events() const override { return kRows; }
  double engine() override {
    return seconds_of([&] {
      for (std::size_t row = 0; row < kRows; row += kBatch) {
        columns_.gva = gva_.data() + row;
        expect(!machine_->translate_batch(0, 0, columns_), "a batch of walks");
      }
    });
  }
  double floor() override {
    return seconds_of([&] {
      for (std::size_t row = 0; row < kRows; row += kBatch) {
        (floor_.*walk)(std::span(gva_).subspan(row, kBatch), out_.data());
        keep(out_.data());
      }
    });
  }
  bool holds() const override {
    for (std::size_t row = 0; row < kBatch; ++row) {
      const std::uint64_t gva = columns_.gva[row];
      if (gpa_[row] != static_cast<double>(gva)) return false;
    }
    return true;
  }

 private:
  GuestWalks(std::uint64_t bytes, const GuestTables& tables)
      : floor_(tables), machine_(machine_with(tables)) {
    std::mt19937_64 random(1);
    for (std::uint64_t& gva : gva_) gva = random() % bytes;
  }

  std::vector<std::uint64_t> gva_ = std::vector<std::uint64_t>(kRows);
  std::vector<double> gpa_ = std::vector<double>(kBatch);
  std::vector<std::uint32_t> code_ = std::vector<std::uint32_t>(kBatch);
  std::vector<std::uint8_t> ended_ = std::vector<std::uint8_t>(kBatch);
  std::vector<std::uint8_t> level_ = std::vector<std::uint8_t>(kBatch);
  std::vector<std::uint8_t> granted_ = std::vector<std::uint8_t>(kBatch);
  std::vector<double> out_ = std::vector<double>(kBatch);
  TranslationColumns columns_{gva_.data(),   gpa_.data(),   code_.data(),
                              ended_.data(), level_.data(), granted_.data(),
                              kBatch};
  Floor floor_;
  std::unique_ptr<Machine> machine_;
};

template <Walk walk>
Trial trial(std::string_view family, std::uint64_t gib,
            std::string_view beside) {
  const std::uint64_t bytes = gib << 30;
  return {
      .name = Shape{0, gib}.name(family),
      .what = "walks of a guest's own tables",
      .beside = beside,
      .unit = "walk",
      .target = 1.5,
      // Two copies of the tables, and one that is larger while it is made.
      .bytes = bytes / 512 * 4 + (64u << 20),
      .prepare = [bytes] { return std::make_unique<GuestWalks<walk>>(bytes); }};
}

void add(std::vector<Trial>& trials) {
  for (const std::uint64_t gib : {1, 16}) {
    trials.push_back(trial<&Floor::one_by_one>(
        "guest-walk", gib, "their bare loads, one walk after the other"));
    trials.push_back(trial<&Floor::abreast>(
        "guest-walk-abreast", gib, "their bare loads, 16 walks at once"));
  }
}

const Enlisted enlisted(add);

}  // namespace
}  // namespace mmu::bench
