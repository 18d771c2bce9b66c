#include "core/machine.hpp"

#include <algorithm>
#include <string>

#include "core/alias/alias_strategy.hpp"
#include "core/page_pool.hpp"

namespace mmu {
namespace {

struct Bound {
  const char* name;
  std::uint64_t value;
  std::uint64_t least;
  std::uint64_t most;
};

Error out_of_bounds(const Bound& bound) {
  return {ErrorCode::kConfig,
          {{{"value", bound.value}, {"min", bound.least}, {"max", bound.most}}},
          std::string(bound.name) + " must be from " +
              std::to_string(bound.least) + " to " +
              std::to_string(bound.most) + ", got " +
              std::to_string(bound.value)};
}

const AliasEntry* find_strategy(std::string_view name) {
  const AliasEntry* entry = alias_entries();
  while (entry != nullptr && entry->name != name) entry = entry->next;
  return entry;
}

}  // namespace

Result<std::unique_ptr<Machine>> make_machine(const MachineConfig& config) {
  const std::uint64_t least_level = config.address_bits > 48 ? 5 : 4;
  const Bound bounds[] = {
      {"addressBits", config.address_bits, 32, 52},
      {"rootLevel", config.root_level, least_level, 5},
      {"hostMaxphyaddr", config.host_maxphyaddr,
       std::max(config.address_bits, 36u), 52},
      {"vcpus", config.vcpus, 1, 65536},
      {"arenaBytes", config.arena_bytes, std::uint64_t{2} << 20,
       std::uint64_t{256} << 30},
  };
  for (const Bound& bound : bounds) {
    if (bound.value < bound.least || bound.value > bound.most) {
      return out_of_bounds(bound);
    }
  }
  const AliasEntry* strategy = find_strategy(config.strategy);
  if (strategy == nullptr) {
    return Error{ErrorCode::kUnknownStrategy, {}, config.strategy};
  }
  Result<PagePool> arena = PagePool::create(config.arena_bytes);
  if (!arena) return arena.error();
  return strategy->make(config, std::move(arena.value()));
}

std::vector<StrategyView> strategies() {
  std::vector<StrategyView> views;
  for (const AliasEntry* entry = alias_entries(); entry != nullptr;
       entry = entry->next) {
    views.push_back({entry->name, entry->summary});
  }
  std::sort(views.begin(), views.end(),
            [](const StrategyView& a, const StrategyView& b) {
              return a.name < b.name;
            });
  return views;
}

}  // namespace mmu
