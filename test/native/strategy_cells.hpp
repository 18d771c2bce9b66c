// For tables of what the strategies do, topic by topic: a cell is a check, or
// a reason why the model has none.
#pragma once

#include <algorithm>
#include <span>

#include "fault_world.hpp"

namespace cells {

struct Cell {
  std::string_view topic;
  std::string_view column;
  void (*holds)();              // null: left out
  std::string_view left_out{};  // why
};

// Each topic in each column once, and nothing besides.
inline void check_complete(std::span<const Cell> cells,
                           std::span<const std::string_view> topics,
                           std::span<const std::string_view> columns) {
  CHECK(cells.size() == topics.size() * columns.size());
  for (const std::string_view topic : topics) {
    for (const std::string_view column : columns) {
      CAPTURE(topic);
      CAPTURE(column);
      const auto here = [&](const Cell& cell) {
        return cell.topic == topic && cell.column == column;
      };
      CHECK(std::ranges::count_if(cells, here) == 1);
    }
  }
  for (const Cell& cell : cells) {
    CAPTURE(cell.topic);
    CAPTURE(cell.column);
    CHECK((cell.holds == nullptr) != cell.left_out.empty());
  }
}

inline void check_all(std::span<const Cell> cells) {
  for (const Cell& cell : cells) {
    CAPTURE(cell.topic);
    CAPTURE(cell.column);
    if (cell.holds != nullptr) {
      cell.holds();
    } else {
      MESSAGE("left out: " << std::string(cell.left_out));
    }
  }
}

using world::kA;
using world::kB;
using world::kBit;
using world::kMiB;
using world::kPage;
using world::Setup;
using Vm = std::unique_ptr<mmu::Machine>;

inline constexpr std::string_view kBits = "bits:47";
inline constexpr std::string_view kTdx = "tdx47";
inline constexpr auto kTdp = mmu::Flavour::kTdp;
inline constexpr auto kRmap = mmu::Flavour::kRmap;

// Both flavours, or the one that the strategy has.
template <class Check>
void each(std::string_view strategy, std::string_view preset, Check check) {
  for (const mmu::Flavour mmu : {kTdp, kRmap}) {
    const Setup setup{strategy, mmu, preset};
    const auto reason = mmu::not_applicable(setup.config());
    REQUIRE(reason);
    if (!reason.value().empty()) continue;
    CAPTURE(world::name_of(mmu));
    check(setup);
  }
}

// The page is touched through A, converted where that is a question, and
// touched through B.
inline bool converts(const Setup& setup) { return setup.strategy == "mirror"; }
inline Vm with_a(const Setup& setup, std::uint32_t flags = 0) {
  Vm vm = world::one_page(setup, flags);
  world::access(*vm, kA);
  return vm;
}
inline Vm with_both(const Setup& setup, std::uint32_t flags = 0) {
  Vm vm = with_a(setup, flags);
  if (converts(setup)) world::share(*vm, kA);
  world::access(*vm, kB);
  return vm;
}
inline Vm with_b(const Setup& setup) {
  Vm vm = world::one_page(setup);
  if (converts(setup)) world::share(*vm, kA);
  world::access(*vm, kB);
  return vm;
}

inline std::uint64_t pages_4k(const mmu::Machine& machine) {
  return world::stats(machine)["pages_4k"];
}

// Leaf tables, as "root:first gpa".
inline std::string leaf_tables(const mmu::Machine& machine) {
  std::vector<std::string> found;
  for (const mmu::TableView& table : world::tables_of(machine, 1)) {
    found.push_back((table.root == 0 ? "direct:" : "private:") +
                    std::string(table.gpa == 0      ? "A"
                                : table.gpa == kBit ? "B"
                                                    : "?"));
  }
  std::ranges::sort(found);
  std::string text;
  for (const std::string& one : found) text += (text.empty() ? "" : " ") + one;
  return text;
}

template <class Act>
std::string flushes(const mmu::Machine& machine, Act act) {
  return world::to_text(world::flushed_by(machine, act));
}
inline std::string calls(std::uint64_t n, std::uint64_t pages) {
  return world::to_text({.range = n, .pages = pages});
}
inline std::string full(std::uint64_t n = 1) {
  return world::to_text({.full = n});
}
inline std::string no_flush() { return world::to_text({}); }

inline bool refuses(const Setup& setup) {
  return !mmu::make_machine(setup.config());
}

inline constexpr std::uint64_t kWrite = mmu::bit(1);
inline constexpr std::uint64_t kBlocked = mmu::bit(62);

inline Setup with_provider(Setup setup, std::string_view provider) {
  setup.provider = provider;
  return setup;
}
inline std::string zap_flushes(const Setup& setup, bool both = true) {
  const Vm vm = both ? with_both(setup) : with_a(setup);
  return flushes(*vm, [&] { world::zap(*vm, kA); });
}
// Watched at A; how many leaves lose W.
inline std::uint32_t tracks(const Setup& setup) {
  const Vm vm = with_both(setup);
  const mmu::Outcome out =
      world::operate(*vm, mmu::EventKind::kWriteTrackAdd, kA, kPage);
  CHECK(out.flush == 2);
  for (const mmu::LeafView& leaf : vm->leaves(false)) {
    CHECK((leaf.spte & kWrite) == 0);
  }
  return out.sptes_changed;
}
inline std::uint32_t log_protects(const Setup& setup) {
  const Vm vm = with_both(setup, mmu::MemslotRegion::kLogDirty);
  return world::take_log(*vm).sptes_changed;
}
inline unsigned level_at(const mmu::Machine& machine, std::uint64_t gpa) {
  return world::last_step(machine, gpa).level;
}
inline Vm with_2m(const Setup& setup) {
  Vm vm = world::vm(setup);
  world::add(*vm, {.bytes = 4 * kMiB, .backing = 2});
  return vm;
}
// Two pages, the first shared and the second private, both mapped.
inline Vm of_both_kinds(const Setup& setup) {
  Vm vm = world::vm(setup);
  world::add(*vm, {.gpa = kA, .bytes = 2 * kPage});
  if (converts(setup)) world::share(*vm, kA);
  world::access(*vm, kB);
  world::access(*vm, kA + kPage);
  return vm;
}
inline bool has_hole_at(const Setup& setup, std::uint64_t gpa,
                        std::uint64_t frame) {
  const Vm vm = world::one_page(setup);
  world::access(*vm, gpa);
  const auto entries = vm->leaves(true);
  return entries.size() == 1 && (entries[0].spte & mmu::bits(51, 12)) == frame;
}

}  // namespace cells
