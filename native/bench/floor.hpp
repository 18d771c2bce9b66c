// The least that any four-level table could do: the floor of every ratio.
//
// Tables are bare arrays of 512 words in one huge-page arena, children are
// named by index, there are no slots, permissions, outcomes or counters. Two
// walks: plain, which an out-of-order core overlaps by itself, and gathered,
// eight lanes by four, where the machine has AVX-512.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

#include "bench/huge_arena.hpp"

#if defined(__x86_64__)
// GCC 12 takes its own undefined vectors for a mistake (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif
#endif

namespace mmu::bench {

// `Word` is std::uint64_t for the format that hardware has, std::uint32_t for
// the narrow one that docs/decisions/0002 weighs against it.
template <class Word>
class BareTables {
 public:
  static constexpr std::uint64_t kTableBytes = 512 * sizeof(Word);

  // Backed by memory from the start.
  explicit BareTables(std::uint64_t max_tables)
      : arena_(max_tables * kTableBytes),
        base_(reinterpret_cast<Word*>(arena_.base())) {}

  std::uint64_t bytes() const { return used_ * kTableBytes; }

  // Returns the number of the leaf table. Where tables were used before, each
  // is cleared as it is made.
  template <bool clears = false>
  std::uint64_t insert(std::uint64_t gfn) {
    std::uint64_t table = kRoot;
    for (unsigned shift = 27; shift != 0; shift -= 9) {
      Word& entry = base_[table * 512 + ((gfn >> shift) & 511)];
      if ((entry & kPresent) == 0) {
        if constexpr (clears) clear(used_);
        entry = static_cast<Word>(used_++ << kShift | kPresent);
      }
      table = entry >> kShift;
    }
    base_[table * 512 + (gfn & 511)] =
        static_cast<Word>(gfn << kShift | kPresent);
    return table;
  }

  // All tables but the root become such as were used before.
  void forget() {
    used_ = kRoot + 1;
    clear(kRoot);
  }

  // Table 0 stays empty, so that a missing entry leads to a walk that finds
  // nothing and no level needs a test.
  std::uint64_t walk(std::uint64_t gfn) const {
    std::uint64_t table = kRoot;
    for (unsigned shift = 27; shift != 0; shift -= 9) {
      table = base_[table * 512 + ((gfn >> shift) & 511)] >> kShift;
    }
    return base_[table * 512 + (gfn & 511)];
  }

  // Of frames [first, last), whole tables of them, all mapped. Returns a word
  // that every entry had a part in.
  std::uint64_t clear_leaves(std::uint64_t first, std::uint64_t last) {
    std::uint64_t seen = 0;
    for (std::uint64_t gfn = first; gfn < last; gfn += 512) {
      std::uint64_t table = kRoot;
      for (unsigned shift = 27; shift != 0; shift -= 9) {
        table = base_[table * 512 + ((gfn >> shift) & 511)] >> kShift;
      }
      Word* const leaves = &base_[table * 512];
      for (unsigned i = 0; i < 512; ++i) {
        seen |= leaves[i];
        leaves[i] = 0;
      }
    }
    return seen;
  }

  void walk_plain(std::span<const double> gpa,
                  std::span<std::uint64_t> out) const {
    for (std::size_t i = 0; i < gpa.size(); ++i) {
      out[i] = walk(
          static_cast<std::uint64_t>(static_cast<std::int64_t>(gpa[i])) >> 12);
    }
  }

#if defined(__x86_64__)
  __attribute__((target("avx512f,avx512dq"))) void walk_gathered(
      std::span<const double> gpa, std::span<std::uint64_t> out) const
    requires(sizeof(Word) == 8)
  {
    const __m512i low9 = _mm512_set1_epi64(511);
    for (std::size_t i = 0; i + 32 <= gpa.size(); i += 32) {
      __m512i gfn[4];
      __m512i entry[4];
      for (unsigned v = 0; v < 4; ++v) {
        gfn[v] = _mm512_srli_epi64(
            _mm512_cvttpd_epu64(_mm512_loadu_pd(&gpa[i + 8 * v])), 12);
        entry[v] = _mm512_set1_epi64(kRoot << kShift);
      }
      for (unsigned shift = 27;; shift -= 9) {
        for (unsigned v = 0; v < 4; ++v) {
          const __m512i index =
              _mm512_and_si512(_mm512_srli_epi64(gfn[v], shift), low9);
          const __m512i at = _mm512_add_epi64(
              _mm512_slli_epi64(_mm512_srli_epi64(entry[v], kShift), 9), index);
          entry[v] = _mm512_i64gather_epi64(at, base_, 8);
        }
        if (shift == 0) break;
      }
      for (unsigned v = 0; v < 4; ++v) {
        _mm512_storeu_si512(&out[i + 8 * v], entry[v]);
      }
    }
  }
#endif

 private:
  void clear(std::uint64_t table) {
    std::memset(base_ + table * 512, 0, kTableBytes);
  }

  static constexpr unsigned kShift = sizeof(Word) == 8 ? 12 : 1;
  static constexpr std::uint64_t kPresent = 1;
  static constexpr std::uint64_t kRoot = 1;

  HugeArena arena_;
  Word* base_;
  std::uint64_t used_ = 2;
};

}  // namespace mmu::bench
