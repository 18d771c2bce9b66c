// A block of memory that JavaScript owns -> the columns inside it.
//
// The only pointer arithmetic of the binding. Where a column starts comes from
// the layout tables of event.hpp, at compile time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "binding/napi.hpp"
#include "core/event.hpp"
#include "trace/decoder.hpp"

namespace mmu::binding {

// An ArrayBuffer argument. A shared one is refused, since another thread could
// change a row after it was checked, and so is a resizable one, since it can
// shrink under a run.
//
// Where its bytes are is asked for at the last moment: any JavaScript that
// runs in between may detach it.
class Block {
 public:
  Block(Napi::Value value, std::string_view name);

  // The first byte, once it is sure that `capacity` rows of `row_bytes` fit.
  // Throws ERR_BATCH.
  std::byte* rows(std::size_t capacity, std::size_t row_bytes) const;

  Napi::ArrayBuffer buffer() const { return buffer_; }

 private:
  Napi::ArrayBuffer buffer_;
  std::string_view name_;
};

// Both blocks of a run, laid out for `capacity` rows of which `count` are
// used. Throw ERR_BATCH.
struct RunBlocks {
  Block events;
  Block outcomes;
  std::uint32_t capacity;
  std::uint32_t count;

  // events, outcomes, capacity, count.
  explicit RunBlocks(const Napi::CallbackInfo& info);

  EventColumns event_columns() const;
  OutcomeColumns outcome_columns() const;
};

// Where decoded rows go: rows [at, capacity) of a block that has the extra
// columns behind the event columns if `extra`. Throws ERR_BATCH.
struct SinkBlock {
  Block events;
  std::uint32_t at;
  std::uint32_t capacity;
  bool extra;

  // Arguments `first` and the three after it: events, at, capacity, extra.
  SinkBlock(const Napi::CallbackInfo& info, std::size_t first);

  trace::EventSink sink() const;
};

}  // namespace mmu::binding
