#include "binding/values.hpp"

#include <cstring>

#include "binding/errors.hpp"

namespace mmu::binding {
namespace {

// Through the JavaScript constructor: where memory is short it throws a
// RangeError, while napi_create_arraybuffer() ends the process.
Napi::ArrayBuffer array_buffer(Napi::Env env, std::size_t bytes) {
  const Napi::Function constructor =
      env.Global().Get("ArrayBuffer").As<Napi::Function>();
  const Napi::Object made =
      constructor.New({Napi::Number::New(env, static_cast<double>(bytes))});
  if (!made.IsArrayBuffer() ||
      made.As<Napi::ArrayBuffer>().ByteLength() != bytes) {
    throw to_js(env, refusal(ErrorCode::kInternal, "ArrayBuffer is replaced"));
  }
  return made.As<Napi::ArrayBuffer>();
}

template <class T>
Napi::TypedArrayOf<T> typed_array(Napi::Env env, std::size_t length,
                                  napi_typedarray_type type) {
  return Napi::TypedArrayOf<T>::New(
      env, length, array_buffer(env, length * sizeof(T)), 0, type);
}

template <class T>
Napi::TypedArrayOf<T> copy(Napi::Env env, std::span<const T> from,
                           napi_typedarray_type type) {
  Napi::TypedArrayOf<T> made = typed_array<T>(env, from.size(), type);
  if (!from.empty()) std::memcpy(made.Data(), from.data(), from.size_bytes());
  return made;
}

template <class T>
Napi::Array to_array(Napi::Env env, const std::vector<T>& items) {
  Napi::Array made = Napi::Array::New(env, items.size());
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    const Napi::HandleScope scope(env);
    made.Set(i, to_js(env, items[i]));
  }
  return made;
}

}  // namespace

Napi::String to_js(Napi::Env env, std::string_view text) {
  return Napi::String::New(env, text.data(), text.size());
}

Napi::Number to_js(Napi::Env env, std::uint64_t number) {
  return Napi::Number::New(env, static_cast<double>(number));
}

Napi::Object to_js(Napi::Env env, const Outcome& outcome) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("outcome", static_cast<unsigned>(outcome.code));
  made.Set("level", unsigned{outcome.level});
  made.Set("tablesRead", unsigned{outcome.tables_read});
  made.Set("sptesChanged", outcome.sptes_changed);
  return made;
}

Napi::Object to_js(Napi::Env env, const MemslotView& slot) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("slot", slot.slot);
  made.Set("flags", slot.flags);
  made.Set("gpa", to_js(env, slot.gpa));
  made.Set("bytes", to_js(env, slot.bytes));
  made.Set("hva", to_js(env, slot.hva));
  made.Set("backing", unsigned{slot.backing});
  made.Set("dirtyPages", to_js(env, slot.dirty_pages));
  return made;
}

Napi::Array to_js(Napi::Env env, const std::vector<MemslotView>& slots) {
  return to_array(env, slots);
}

Napi::Object to_js(Napi::Env env, const StepView& step) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("level", unsigned{step.level});
  made.Set("gpa", to_js(env, step.gpa));
  made.Set("spte", Napi::BigInt::New(env, step.spte));
  made.Set("isLeaf", step.is_leaf);
  return made;
}

Napi::Array to_js(Napi::Env env, const std::vector<StepView>& steps) {
  return to_array(env, steps);
}

Napi::Object to_js(Napi::Env env, const std::vector<LeafView>& leaves) {
  const std::size_t count = leaves.size();
  auto gpa = typed_array<double>(env, count, napi_float64_array);
  auto spte = typed_array<std::uint64_t>(env, count, napi_biguint64_array);
  auto level = typed_array<std::uint8_t>(env, count, napi_uint8_array);
  double* const gpas = gpa.Data();
  std::uint64_t* const sptes = spte.Data();
  std::uint8_t* const levels = level.Data();
  for (std::size_t i = 0; i < count; ++i) {
    gpas[i] = static_cast<double>(leaves[i].gpa);
    sptes[i] = leaves[i].spte;
    levels[i] = leaves[i].level;
  }
  Napi::Object made = Napi::Object::New(env);
  made.Set("gpa", gpa);
  made.Set("spte", spte);
  made.Set("level", level);
  return made;
}

Napi::Object to_js(Napi::Env env, const std::vector<NamedCount>& counts) {
  Napi::Object made = Napi::Object::New(env);
  for (const NamedCount& count : counts) {
    made.Set(to_js(env, count.name), to_js(env, count.value));
  }
  return made;
}

Napi::Object to_js(Napi::Env env, const DirtyRounds& rounds) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("rounds", to_js(env, rounds.rounds));
  made.Set("reaping", to_js(env, rounds.reaping));
  made.Set("pages", to_js(env, rounds.pages));
  return made;
}

Napi::Object to_js(Napi::Env env, const TableCounts& tables) {
  Napi::Array by_level = Napi::Array::New(env, std::size(tables.by_level));
  for (std::uint32_t level = 0; level < std::size(tables.by_level); ++level) {
    by_level.Set(level, to_js(env, tables.by_level[level]));
  }
  Napi::Object made = Napi::Object::New(env);
  made.Set("roots", to_js(env, tables.roots));
  made.Set("byLevel", by_level);
  made.Set("bytesInUse", to_js(env, tables.bytes_in_use));
  made.Set("bytesCommitted", to_js(env, tables.bytes_committed));
  return made;
}

Napi::Object to_js(Napi::Env env, const trace::DecodeTotals& totals) {
  Napi::Object skipped = Napi::Object::New(env);
  for (const auto& [reason, count] : totals.skipped) {
    skipped.Set(to_js(env, reason), to_js(env, count));
  }
  Napi::Object made = Napi::Object::New(env);
  made.Set("bytes", to_js(env, totals.bytes));
  made.Set("records", to_js(env, totals.records));
  made.Set("lost", to_js(env, totals.lost));
  made.Set("skipped", skipped);
  return made;
}

Napi::Value to_js(Napi::Env env, std::span<const std::uint64_t> words) {
  return copy(env, words, napi_biguint64_array);
}

Napi::Value to_js(Napi::Env env, std::span<const std::uint8_t> bytes) {
  return copy(env, bytes, napi_uint8_array);
}

}  // namespace mmu::binding
