// The VMM's own view of guest memory.
#include <algorithm>
#include <cstring>

#include "core/guest/guest_calls.hpp"

namespace mmu {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;

struct Piece {
  HostPage page;
  std::uint64_t in_page;
  std::uint64_t done;
  std::uint64_t bytes;
};

// Calls act(Piece), which answers with a refusal or nothing, for each page.
template <class Act>
std::optional<Error> for_each_piece(const Mmu& mmu, std::uint64_t gpa,
                                    std::uint64_t bytes, Act act) {
  for (std::uint64_t done = 0; done < bytes;) {
    const std::uint64_t at = gpa + done;
    const Gfn gfn{at >> kPageShift};
    const Memslot* slot = mmu.slots().find(gfn);
    if (slot == nullptr || slot->is_internal()) {
      return Error{ErrorCode::kGuestMemory,
                   {{{"gpa", gpa}, {"bytes", bytes}, {"missing", at}}},
                   "no memslot of userspace holds " + number(at) + ", of [" +
                       number(gpa) + ", +" + number(bytes) + ")"};
    }
    const std::uint64_t in_page = at % kPageSize;
    const std::uint64_t part = std::min(bytes - done, kPageSize - in_page);
    if (auto error =
            act(Piece{page_of(slot->hva_of(gfn)), in_page, done, part})) {
      return error;
    }
    done += part;
  }
  return std::nullopt;
}

std::optional<Error> check_range(std::uint64_t gpa, std::uint64_t bytes) {
  if (bytes <= kMostBytes && gpa + bytes >= gpa) return std::nullopt;
  return Error{ErrorCode::kGuestMemory,
               {{{"gpa", gpa}, {"bytes", bytes}}},
               "expected at most " + std::to_string(kMostBytes) +
                   " bytes below 2^64, got [" + number(gpa) + ", +" +
                   number(bytes) + ")"};
}

}  // namespace

std::optional<Error> write_guest_memory(Mmu& mmu, std::uint64_t gpa,
                                        std::span<const std::byte> bytes) {
  if (auto error = check_range(gpa, bytes.size())) return error;
  if (mmu.guest == nullptr) mmu.guest = std::make_unique<Guest>();
  GuestMemory& memory = mmu.guest->memory;
  // First all that may be refused.
  auto error = for_each_piece(
      mmu, gpa, bytes.size(),
      [](const Piece&) -> std::optional<Error> { return std::nullopt; });
  if (error) return error;
  error = for_each_piece(mmu, gpa, bytes.size(),
                         [&](const Piece& piece) -> std::optional<Error> {
                           const auto page = memory.make(piece.page);
                           if (!page) return page.error();
                           return std::nullopt;
                         });
  if (error) return error;
  return for_each_piece(mmu, gpa, bytes.size(),
                        [&](const Piece& piece) -> std::optional<Error> {
                          std::memcpy(memory.find(piece.page) + piece.in_page,
                                      bytes.data() + piece.done, piece.bytes);
                          return std::nullopt;
                        });
}

std::optional<Error> read_guest_memory(const Mmu& mmu, std::uint64_t gpa,
                                       std::span<std::byte> bytes) {
  if (auto error = check_range(gpa, bytes.size())) return error;
  return for_each_piece(
      mmu, gpa, bytes.size(), [&](const Piece& piece) -> std::optional<Error> {
        const std::byte* page =
            mmu.guest == nullptr ? nullptr : mmu.guest->memory.find(piece.page);
        std::byte* to = bytes.data() + piece.done;
        if (page == nullptr) {
          std::memset(to, 0, piece.bytes);
        } else {
          std::memcpy(to, page + piece.in_page, piece.bytes);
        }
        return std::nullopt;
      });
}

}  // namespace mmu
