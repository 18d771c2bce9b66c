#include "core/machine.hpp"

#include <algorithm>
#include <optional>
#include <ranges>
#include <string>

#include "core/alias/alias_strategy.hpp"
#include "core/machine_setup.hpp"
#include "core/page_pool.hpp"
#include "core/rules/rule.hpp"

namespace mmu {
namespace {

constexpr std::string_view kKindNames[] = {"none", "attribute",
                                           "private-shared", "stripped"};

StrategyView view_of(const AliasEntry& entry) {
  const AliasSupport& support = entry.support;
  StrategyView view{.name = entry.name,
                    .summary = entry.summary,
                    .tdp = support.tdp,
                    .rmap = support.rmap,
                    .attribute = support.attribute,
                    .private_shared = support.private_shared,
                    .defects = {}};
  for (const AliasDefect& defect : support.defects) {
    view.defects.push_back({defect.id, defect.tdp, defect.rmap});
  }
  return view;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (const auto word : std::views::split(text, ' ')) {
    if (!word.empty()) words.emplace_back(word.begin(), word.end());
  }
  return words;
}

}  // namespace

Result<std::unique_ptr<Machine>> make_machine(const MachineConfig& config) {
  Result<MachineSetup> setup = check_config(config);
  if (!setup) return setup.error();
  const AliasEntry* strategy = find_alias(config.strategy);
  if (strategy == nullptr) {
    return Error{ErrorCode::kUnknownStrategy, {}, config.strategy};
  }
  std::string reason = not_applicable(*strategy, setup.value());
  if (!reason.empty()) {
    return Error{ErrorCode::kUnsupported, {}, std::move(reason)};
  }
  Result<PagePool> arena = PagePool::create(config.arena_bytes);
  if (!arena) return arena.error();
  if (auto error = reserve_memory(setup.value(), arena.value())) return *error;
  return strategy->make(std::move(setup.value()), std::move(arena.value()));
}

Result<std::string> not_applicable(const MachineConfig& config) {
  const Result<MachineSetup> setup = check_config(config);
  if (!setup) return setup.error();
  const AliasEntry* strategy = find_alias(config.strategy);
  if (strategy == nullptr) {
    return Error{ErrorCode::kUnknownStrategy, {}, config.strategy};
  }
  return not_applicable(*strategy, setup.value());
}

Result<PresetView> preset_view(std::string_view text) {
  const Result<AliasSpace> parsed = parse_preset(text);
  if (!parsed) return parsed.error();
  const AliasSpace& space = parsed.value();
  PresetView view{.kind = kKindNames[static_cast<unsigned>(space.kind)],
                  .bits = {},
                  .address_bits = space.address_bits,
                  .root_level = space.root_level,
                  .execute_only = space.execute_only,
                  .aliases = {}};
  for (unsigned i = 0; i < space.bit_count; ++i) {
    view.bits.push_back(space.low_bit + i);
  }
  for (unsigned alias = 0; alias < space.alias_count(); ++alias) {
    view.aliases.push_back(space.offset_of(alias) << kPageShift);
  }
  return view;
}

std::vector<StrategyView> strategies() {
  std::vector<StrategyView> views;
  for (const AliasEntry* entry = alias_entries(); entry != nullptr;
       entry = entry->next) {
    views.push_back(view_of(*entry));
  }
  std::ranges::sort(views, {}, &StrategyView::name);
  return views;
}

std::vector<RuleView> rules() {
  std::vector<RuleView> views;
  for (const RuleEntry* entry = rule_entries(); entry != nullptr;
       entry = entry->next) {
    views.push_back({entry->id, entry->kind, entry->sentence, entry->reason,
                     entry->source, words_of(entry->defects),
                     words_of(entry->needs)});
  }
  std::ranges::sort(views, {}, &RuleView::id);
  return views;
}

}  // namespace mmu
