#include "binding/values.hpp"

#include <cstring>

#include "binding/arrays.hpp"

namespace mmu::binding {
namespace {

template <class T>
Napi::TypedArrayOf<T> copy(Napi::Env env, std::span<const T> from,
                           napi_typedarray_type type) {
  Napi::TypedArrayOf<T> made = typed_array<T>(env, from.size(), type);
  if (!from.empty()) std::memcpy(made.Data(), from.data(), from.size_bytes());
  return made;
}

Napi::Object slot_object(Napi::Env env, const MemslotView& slot) {
  return to_js(env, slot);
}

Napi::Object gap_object(Napi::Env env, const trace::Gap& gap) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("before", to_js(env, gap.before));
  made.Set("events", to_js(env, gap.events));
  return made;
}

Napi::Object guess_object(Napi::Env env, const trace::VendorGuess& guess) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("name", to_js(env, guess.name));
  made.Set("confidence", guess.confidence);
  made.Set("why", to_js(env, guess.why));
  return made;
}

Napi::Object step_object(Napi::Env env, const StepView& step) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("level", unsigned{step.level});
  made.Set("gpa", to_js(env, step.gpa));
  made.Set("spte", Napi::BigInt::New(env, step.spte));
  made.Set("isLeaf", step.is_leaf);
  return made;
}

}  // namespace

Napi::String to_js(Napi::Env env, std::string_view text) {
  return Napi::String::New(env, text.data(), text.size());
}

Napi::Number to_js(Napi::Env env, std::uint64_t number) {
  return Napi::Number::New(env, static_cast<double>(number));
}

Napi::Array to_js(Napi::Env env, std::span<const std::string_view> names) {
  return array_of(env, names,
                  [](Napi::Env to, auto name) { return to_js(to, name); });
}

Napi::Array numbers(Napi::Env env, std::span<const std::uint64_t> from) {
  return array_of(env, from,
                  [](Napi::Env to, auto each) { return to_js(to, each); });
}

Napi::Object to_js(Napi::Env env, const Outcome& outcome) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("outcome", static_cast<unsigned>(outcome.code));
  made.Set("level", unsigned{outcome.level});
  made.Set("tablesRead", unsigned{outcome.tables_read});
  made.Set("sptesChanged", outcome.sptes_changed);
  made.Set("flush", unsigned{outcome.flush});
  made.Set("flushedPages", outcome.flushed_pages);
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
  made.Set("memfd", Napi::Number::New(env, slot.memfd));
  made.Set("memfdOffset", to_js(env, slot.memfd_offset));
  return made;
}

Napi::Array to_js(Napi::Env env, const std::vector<MemslotView>& slots) {
  return array_of(env, slots, slot_object);
}

Napi::Array to_js(Napi::Env env, const std::vector<StepView>& steps) {
  return array_of(env, steps, step_object);
}

Napi::Object to_js(Napi::Env env, const std::vector<LeafView>& leaves) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("gpa", column_of<double>(env, leaves, napi_float64_array,
                                    [](auto& leaf) { return leaf.gpa; }));
  made.Set("spte",
           column_of<std::uint64_t>(env, leaves, napi_biguint64_array,
                                    [](auto& leaf) { return leaf.spte; }));
  made.Set("level",
           column_of<std::uint8_t>(env, leaves, napi_uint8_array,
                                   [](auto& leaf) { return leaf.level; }));
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
  Napi::Object made = Napi::Object::New(env);
  made.Set("roots", to_js(env, tables.roots));
  made.Set("byLevel", numbers(env, tables.by_level));
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
  made.Set("gaps", array_of(env, totals.gaps, gap_object));
  made.Set("backwards", to_js(env, totals.backwards));
  made.Set("backwardsAt", numbers(env, totals.backwards_at));
  made.Set("vendor", guess_object(env, totals.vendor));
  made.Set("mappedLevels", numbers(env, totals.mapped_levels));
  made.Set("topLevel", to_js(env, std::uint64_t{totals.top_level}));
  return made;
}

Napi::Value to_js(Napi::Env env, std::span<const std::uint64_t> words) {
  return copy(env, words, napi_biguint64_array);
}

Napi::Value to_js(Napi::Env env, std::span<const std::uint8_t> bytes) {
  return copy(env, bytes, napi_uint8_array);
}

}  // namespace mmu::binding
