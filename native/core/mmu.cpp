#include "core/mmu.hpp"

#include <algorithm>
#include <numeric>

#include "core/flavour.hpp"
#include "core/guest/guest.hpp"
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

// Nested tables have no type bits, and nobody asks.
std::optional<GuestMtrrs> mtrrs_of(const MachineConfig& config,
                                   const Alias& alias) {
  const HostOptions& host = config.host;
  if (!host.memory_types || host.vendor != Vendor::kIntel ||
      alias.traits().ignores_mtrrs) {
    return std::nullopt;
  }
  const AliasSpace& space = alias.space();
  return GuestMtrrs(space.width_without_aliases(config.address_bits));
}

EntryRules entry_rules_of(const HostOptions& host) {
  return {.ad_type = host.ad_bits ? 0 : ept::kAdDisabled,
          .nx_huge_pages = host.nx_huge_pages};
}

// End of user memory. A host whose physical width is above 46 bits is taken to
// page with five levels. KVM: access_ok(); x86: TASK_SIZE_MAX.
std::uint64_t user_end(const MachineConfig& config,
                       const KernelProfile& kernel) {
  const unsigned usual = config.host_maxphyaddr > 46 ? 56 : 47;
  const unsigned width =
      kernel.user_address_bits != 0 ? kernel.user_address_bits : usual;
  return bit(width) - kPageSize;
}

SlotRules slot_rules_of(const MachineConfig& config, const Alias& alias) {
  const KernelProfile& kernel = profile_of(config.kernel);
  const AliasTraits traits = alias.traits();
  const bool is_private = alias.has_private_memory();
  const unsigned width =
      kernel.gpa_bits != 0 ? kernel.gpa_bits : config.host_maxphyaddr;
  // Kernels that have KVM_SET_MEMORY_ATTRIBUTES. KVM:
  // kvm_arch_nr_memslot_as_ids().
  const bool guards_private = is_private && traits.checks_attributes;
  const bool wants_memfd = kernel.memfd_for_all || guards_private;
  return {.kernel = kernel,
          .address_spaces = guards_private ? 1 : kernel.address_spaces,
          .allows_memfd =
              kernel.has_guest_memfd && wants_memfd && !traits.twin_slots,
          .user_end = user_end(config, kernel),
          .max_frame = bits(width - 1, kPageShift) >> kPageShift,
          .twin_slots = traits.twin_slots};
}

MemslotSet slot_set(unsigned as_id, const SlotRules& rules) {
  return {as_id, rules.address_spaces, rules.kernel.mmio_generation_bits};
}

std::vector<std::uint32_t> first_ids(unsigned count) {
  std::vector<std::uint32_t> ids(count);
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
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
      slot_rules(slot_rules_of(config, strategy)),
      slot_sets{slot_set(0, slot_rules), slot_set(1, slot_rules)},
      slot_zap_all(config.host.slot_zap_all),
      vcpu_ids(first_ids(config.vcpus)),
      vcpus(std::max(config.vcpus, 1u)),
      private_bit(private_bit_of(config, strategy)),
      mtrrs(mtrrs_of(config, strategy)),
      external(setup.external),
      nx_pages(std::move(setup.nx_pages)),
      pml(std::move(setup.pml)),
      tlbs(std::move(setup.tlbs)),
      flush(alias, setup.provider, config.vcpus, tlbs.get()),
      ops(config.mmu == Flavour::kTdp
              ? make_tdp_ops(*this)
              : make_rmap_ops(*this, *setup.parents, *setup.active_pages)) {
  for (PageTable& tree : trees) tree.keep_queue(nx_pages.get());
  if (!needs_rules(*this)) return;
  rules = std::make_unique<RuleSet>(*this);
  flush.on_flushed = [this](GfnRange range) { rules->flushed(range); };
  flush.on_planned = [this](const FlushRequest& request,
                            const FlushPlan& plan) {
    rules->planned(request, plan);
  };
}

Mmu::~Mmu() = default;

}  // namespace mmu
