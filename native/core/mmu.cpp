#include "core/mmu.hpp"

#include "core/flavour.hpp"
#include "core/rules/rule_set.hpp"
#include "core/tracepoints/tracer.hpp"

namespace mmu {
namespace {

// The upper half of the host's frames, where private memory has its own.
std::uint64_t private_bit_of(const MachineConfig& config, const Alias& alias) {
  const bool own_frames =
      alias.has_private_memory() && !alias.traits().private_is_host_memory;
  return own_frames ? bit(config.host_maxphyaddr - 1) : 0;
}

EntryRules entry_rules_of(const HostOptions& host) {
  return {.ad_type = host.ad_bits ? 0 : ept::kAdDisabled,
          .nx_huge_pages = host.nx_huge_pages};
}

// A VM without aliases and without TLBs has nothing to watch.
bool needs_rules(const Mmu& mmu) {
  return mmu.alias.space().bit_count != 0 || mmu.tlbs != nullptr;
}

}  // namespace

Mmu::Mmu(MachineSetup&& setup, const Alias& strategy, PagePool&& arena)
    : config(setup.config),
      alias(strategy),
      traits(strategy.traits()),
      entry_rules(entry_rules_of(config.host)),
      pool(std::move(arena)),
      trees{
          PageTable(pool, accounts, level_of(config.root_level), entry_rules),
          PageTable(pool, accounts, level_of(config.root_level), entry_rules)},
      vcpus(config.vcpus),
      private_bit(private_bit_of(config, strategy)),
      external(setup.external),
      tlbs(std::move(setup.tlbs)),
      flush(alias, setup.provider, config.vcpus, tlbs.get()),
      ops(config.mmu == Flavour::kTdp ? make_tdp_ops(*this)
                                      : make_rmap_ops(*this, *setup.parents)) {
  if (!needs_rules(*this)) return;
  rules = std::make_unique<RuleSet>(*this);
  flush.on_flushed = [this](GfnRange range) { rules->flushed(range); };
}

Mmu::~Mmu() = default;

}  // namespace mmu
