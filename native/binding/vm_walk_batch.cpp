// Many walks of a VM's tables at once, columns in and out.
#include "binding/arguments.hpp"
#include "binding/errors.hpp"
#include "binding/vm_wrap.hpp"

namespace mmu::binding {
namespace {

// Bytes of a row, and where its columns start, by the rows of the block:
// lib/columns/walk-batch.ts.
constexpr std::size_t kRowBytes = 8 + 8 + 1;

WalkColumns columns(Napi::Value value, std::size_t capacity,
                    std::size_t count) {
  const std::span<const std::uint8_t> block = bytes(value, "block");
  const auto start = reinterpret_cast<std::uintptr_t>(block.data());
  if (count > capacity || capacity > block.size() / kRowBytes ||
      start % sizeof(double) != 0) {
    throw Napi::TypeError::New(
        value.Env(), "block: expected aligned columns for so many rows");
  }
  // JavaScript's own memory, which this call alone uses.
  auto* at = const_cast<std::uint8_t*>(block.data());
  return {.gpa = reinterpret_cast<const double*>(at),
          .spte = reinterpret_cast<std::uint64_t*>(at + 8 * capacity),
          .level = at + 16 * capacity,
          .count = count};
}

}  // namespace

Napi::Value VmWrap::walk_batch(const Napi::CallbackInfo& info) {
  const auto capacity = integer<std::uint32_t>(info[1], "capacity");
  const auto count = integer<std::uint32_t>(info[2], "count");
  const WalkColumns rows = columns(info[0], capacity, count);
  if (auto error = machine().walk_batch(rows)) throw to_js(Env(), *error);
  return {};
}

}  // namespace mmu::binding
