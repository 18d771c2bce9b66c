// Values out: plain objects and typed arrays made from what the core answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "binding/napi.hpp"
#include "core/machine.hpp"
#include "trace/decoder.hpp"

namespace mmu::binding {

Napi::String to_js(Napi::Env env, std::string_view text);
// Exact below 2^53, which every count and address that the core reports is.
Napi::Number to_js(Napi::Env env, std::uint64_t number);

Napi::Array to_js(Napi::Env env, std::span<const std::string_view> names);
// A plain array; to_js() of the same makes a BigUint64Array.
Napi::Array numbers(Napi::Env env, std::span<const std::uint64_t> from);

Napi::Object to_js(Napi::Env env, const Outcome& outcome);
Napi::Object to_js(Napi::Env env, const MemslotView& slot);
Napi::Array to_js(Napi::Env env, const std::vector<MemslotView>& slots);
Napi::Array to_js(Napi::Env env, const std::vector<StepView>& steps);
Napi::Object to_js(Napi::Env env, const PageView& page);
Napi::Object to_js(Napi::Env env, const std::vector<LeafView>& leaves);
Napi::Object to_js(Napi::Env env, const std::vector<NamedCount>& counts);
Napi::Object to_js(Napi::Env env, const TableCounts& tables);
Napi::Object to_js(Napi::Env env, const DirtyRounds& rounds);
Napi::Object to_js(Napi::Env env, const std::vector<TableView>& tables);
Napi::Array to_js(Napi::Env env, const std::vector<AliasLeaves>& aliases);
Napi::Object to_js(Napi::Env env, const FlushView& flushes);
Napi::Array to_js(Napi::Env env, const std::vector<ViolationView>& violations);
Napi::Object to_js(Napi::Env env, const AuditReport& report);
Napi::Object to_js(Napi::Env env, const trace::DecodeTotals& totals);

// A BigUint64Array with a copy of the words.
Napi::Value to_js(Napi::Env env, std::span<const std::uint64_t> words);
// A Uint8Array with a copy of the bytes.
Napi::Value to_js(Napi::Env env, std::span<const std::uint8_t> bytes);

}  // namespace mmu::binding
