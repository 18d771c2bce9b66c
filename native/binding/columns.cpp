#include "binding/columns.hpp"

#include <array>

#include "binding/arguments.hpp"
#include "binding/errors.hpp"

namespace mmu::binding {
namespace {

// Of one column: the widths before it, and its own.
struct Place {
  std::size_t offset;
  std::size_t width;
};

template <std::size_t N>
consteval Place place_of(const std::array<ColumnInfo, N>& layout,
                         std::string_view name, std::size_t base = 0) {
  std::size_t offset = base;
  for (const ColumnInfo& column : layout) {
    if (column.name == name) return {offset, width_of(column.type)};
    offset += width_of(column.type);
  }
  throw "no such column";
}

consteval Place event_place(std::string_view name) {
  return place_of(kEventLayout, name);
}
consteval Place extra_place(std::string_view name) {
  return place_of(kExtraLayout, name, kEventBytes);
}
consteval Place outcome_place(std::string_view name) {
  return place_of(kOutcomeLayout, name);
}

template <class T, Place place>
T* column(std::byte* block, std::size_t capacity) {
  static_assert(place.width == sizeof(T));
  return reinterpret_cast<T*>(block + capacity * place.offset);
}

bool is_resizable(Napi::ArrayBuffer buffer) {
  return buffer.Get("resizable").ToBoolean();
}

[[noreturn]] void refuse(Napi::Env env, std::string detail,
                         std::initializer_list<ErrorValue> values = {}) {
  throw to_js(env, refusal(ErrorCode::kBatch, std::move(detail), values));
}

std::string called(std::string_view name, std::string_view rest) {
  return std::string(name) + std::string(rest);
}

}  // namespace

Block::Block(Napi::Value value, std::string_view name) : name_(name) {
  if (!value.IsArrayBuffer() || is_resizable(value.As<Napi::ArrayBuffer>())) {
    throw wrong_type(value.Env(),
                     called(name,
                            " must be an ArrayBuffer that is neither shared "
                            "nor resizable"));
  }
  buffer_ = value.As<Napi::ArrayBuffer>();
}

std::byte* Block::rows(std::size_t capacity, std::size_t row_bytes) const {
  const Napi::Env env = buffer_.Env();
  Napi::ArrayBuffer buffer = buffer_;
  if (buffer.IsDetached()) refuse(env, called(name_, " is detached"));
  const std::size_t bytes = buffer.ByteLength();
  const std::size_t needed = capacity * row_bytes;
  if (bytes < needed) {
    refuse(env,
           called(name_, " has ") + std::to_string(bytes) + " bytes, " +
               std::to_string(capacity) + " rows need " +
               std::to_string(needed),
           {{"bytes", bytes}, {"needed", needed}, {"capacity", capacity}});
  }
  std::byte* const first = static_cast<std::byte*>(buffer.Data());
  if (reinterpret_cast<std::uintptr_t>(first) % alignof(double) != 0) {
    refuse(env, called(name_, " is not aligned to 8 bytes"));
  }
  return first;
}

RunBlocks::RunBlocks(const Napi::CallbackInfo& info)
    : events(info[0], "events"),
      outcomes(info[1], "outcomes"),
      capacity(integer<std::uint32_t>(info[2], "capacity")),
      count(integer<std::uint32_t>(info[3], "count")) {
  if (count > capacity) {
    refuse(info.Env(),
           "count " + std::to_string(count) + " is above the capacity " +
               std::to_string(capacity),
           {{"count", count}, {"capacity", capacity}});
  }
  // Rows are checked before the first is applied, and outcomes written over
  // rows that wait would undo the check.
  if (events.buffer().StrictEquals(outcomes.buffer())) {
    refuse(info.Env(), "events and outcomes must be different blocks");
  }
}

EventColumns RunBlocks::event_columns() const {
  std::byte* const block = events.rows(capacity, kEventBytes);
  return {
      .gpa = column<double, event_place("gpa")>(block, capacity),
      .bytes = column<double, event_place("bytes")>(block, capacity),
      .error_code = column<double, event_place("errorCode")>(block, capacity),
      .vcpu = column<std::uint16_t, event_place("vcpu")>(block, capacity),
      .kind = column<std::uint8_t, event_place("kind")>(block, capacity),
      .access = column<std::uint8_t, event_place("access")>(block, capacity),
      .count = count,
  };
}

OutcomeColumns RunBlocks::outcome_columns() const {
  std::byte* const block = outcomes.rows(capacity, kOutcomeBytes);
  return {
      .sptes_changed =
          column<std::uint32_t, outcome_place("sptesChanged")>(block, capacity),
      .flushed_pages =
          column<std::uint32_t, outcome_place("flushedPages")>(block, capacity),
      .outcome =
          column<std::uint8_t, outcome_place("outcome")>(block, capacity),
      .level = column<std::uint8_t, outcome_place("level")>(block, capacity),
      .tables_read =
          column<std::uint8_t, outcome_place("tablesRead")>(block, capacity),
      .flush = column<std::uint8_t, outcome_place("flush")>(block, capacity),
  };
}

SinkBlock::SinkBlock(const Napi::CallbackInfo& info, std::size_t first)
    : events(info[first], "events"),
      at(integer<std::uint32_t>(info[first + 1], "at")),
      capacity(integer<std::uint32_t>(info[first + 2], "capacity")),
      extra(boolean(info[first + 3], "extra")) {
  if (at > capacity) {
    refuse(info.Env(),
           "row " + std::to_string(at) + " is above the capacity " +
               std::to_string(capacity),
           {{"at", at}, {"capacity", capacity}});
  }
  // The event columns take 28 bytes a row, and a time behind them is aligned
  // to 8.
  if (extra && capacity * kEventBytes % alignof(double) != 0) {
    refuse(info.Env(), "a batch with extra columns must have an even capacity",
           {{"capacity", capacity}});
  }
}

trace::EventSink SinkBlock::sink() const {
  std::byte* const block =
      events.rows(capacity, kEventBytes + (extra ? kExtraBytes : 0));
  trace::EventSink made{
      .gpa = column<double, event_place("gpa")>(block, capacity),
      .bytes = column<double, event_place("bytes")>(block, capacity),
      .error_code = column<double, event_place("errorCode")>(block, capacity),
      .vcpu = column<std::uint16_t, event_place("vcpu")>(block, capacity),
      .kind = column<std::uint8_t, event_place("kind")>(block, capacity),
      .access = column<std::uint8_t, event_place("access")>(block, capacity),
      .capacity = capacity,
      .count = at,
  };
  if (!extra) return made;
  made.time = column<double, extra_place("time")>(block, capacity);
  made.rip_low = column<std::uint32_t, extra_place("ripLow")>(block, capacity);
  made.rip_high =
      column<std::uint32_t, extra_place("ripHigh")>(block, capacity);
  return made;
}

}  // namespace mmu::binding
