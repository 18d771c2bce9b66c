// Bytes of a recorded trace in, event columns out.
//
// A decoder is a state machine over chunks: it consumes what it can, stops
// when the sink is full or the bytes end inside a record, and never looks
// back. It allocates nothing per event and keeps nothing per event, so a
// trace of any length takes constant memory. It knows no paging and no Node.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace mmu::trace {

// Where decoded rows go: the columns of event.hpp, writable, plus the extra
// ones when `time` is not null. The decoder fills rows [count, capacity).
struct EventSink {
  double* gpa = nullptr;
  double* bytes = nullptr;
  double* error_code = nullptr;
  std::uint16_t* vcpu = nullptr;
  std::uint8_t* kind = nullptr;
  std::uint8_t* access = nullptr;
  double* time = nullptr;  // seconds
  std::uint32_t* rip_low = nullptr;
  std::uint32_t* rip_high = nullptr;
  std::size_t capacity = 0;
  std::size_t count = 0;
};

// A place where the recorder says that events are missing.
struct Gap {
  std::uint64_t before = 0;  // index of the row that follows
  std::uint64_t events = 0;

  friend bool operator==(const Gap&, const Gap&) = default;
};

// Whose error codes a trace has, and how sure that is: 0 to 1, a judgement.
struct VendorGuess {
  std::string name{};  // empty if nothing tells, or the format has one meaning
  double confidence = 0;
  std::string why{};

  friend bool operator==(const VendorGuess&, const VendorGuess&) = default;
};

// Levels of page tables are 1 to 5.
inline constexpr unsigned kMaxLevels = 5;

// What a decoder learnt besides the rows. Totals since it was made.
struct DecodeTotals {
  std::uint64_t bytes = 0;    // consumed
  std::uint64_t records = 0;  // rows produced
  std::uint64_t lost = 0;     // events that the recorder says it dropped
  // Lines or records passed over, by reason: "comment", "kvm_exit", ... A
  // reason that starts with "note: " counts rows that were made all the same.
  std::map<std::string, std::uint64_t, std::less<>> skipped{};
  // Where they were lost, and rows that are older than the one before them, by
  // index: the first of each. Adjacent losses are one gap.
  std::vector<Gap> gaps{};
  std::uint64_t backwards = 0;
  std::vector<std::uint64_t> backwards_at{};
  VendorGuess vendor{};
  // Faults by the level of the page that they mapped, where the recording has
  // the events that say so; and the highest level of an entry that changed.
  std::array<std::uint64_t, kMaxLevels + 1> mapped_levels{};
  unsigned top_level = 0;

  friend bool operator==(const DecodeTotals&, const DecodeTotals&) = default;
};

// How many places a decoder names before it only counts.
inline constexpr std::size_t kMaxPlaces = 100;

// What is told to a decoder, and not in the bytes.
struct DecodeOptions {
  // A vendor's name, or "auto".
  std::string_view vendor = "auto";
  // How lines are found: "avx512", "avx2", "portable", or "scalar" for no fast
  // way at all. Empty for the fastest. The result is the same.
  std::string_view path{};
};

struct DecodeStep {
  std::size_t consumed = 0;  // bytes of the chunk that need not come again
  bool failed = false;
  Error error{};  // kTrace: values offset, line or record; detail: expectation
};

class Decoder {
 public:
  virtual ~Decoder() = default;

  // Decodes from the front of `chunk`. `last` says that nothing follows it, so
  // an unfinished record at its end is an error (or, for text, a cut line that
  // is decoded if whole and otherwise refused).
  virtual DecodeStep decode(std::span<const std::uint8_t> chunk, bool last,
                            EventSink& sink) = 0;
  virtual const DecodeTotals& totals() const noexcept = 0;
};

struct FormatView {
  std::string_view name;
  std::string_view summary;
};

// The formats that have a native decoder.
std::vector<FormatView> formats();
// The name of the format that `head`, the first bytes of an uncompressed
// trace, belongs to; empty if none claims it.
std::string_view detect_format(std::span<const std::uint8_t> head) noexcept;
// Whose error codes can be told apart; "auto" is not among them.
std::vector<FormatView> vendor_views();
// Null if no format or no vendor has that name.
std::unique_ptr<Decoder> make_decoder(std::string_view format,
                                      const DecodeOptions& options = {});

}  // namespace mmu::trace
