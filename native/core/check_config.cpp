#include <algorithm>
#include <optional>
#include <string>

#include "core/alias/alias_strategy.hpp"
#include "core/machine_setup.hpp"

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

// A preset fixes width and level, so each has one value left.
std::optional<Error> check_bounds(const MachineConfig& config,
                                  const AliasSpace& space) {
  const bool fixed = space.address_bits != 0;
  const std::uint64_t least_level = config.address_bits > 48 ? 5 : 4;
  const Bound bounds[] = {
      {"addressBits", config.address_bits, fixed ? space.address_bits : 32u,
       fixed ? space.address_bits : 52u},
      {"rootLevel", config.root_level, fixed ? space.root_level : least_level,
       fixed ? space.root_level : 5u},
      {"hostMaxphyaddr", config.host_maxphyaddr,
       std::max(config.address_bits, 36u), 52},
      {"vcpus", config.vcpus, 0, 65536},
      {"arenaBytes", config.arena_bytes, std::uint64_t{256} << 10,
       std::uint64_t{256} << 30},
  };
  for (const Bound& bound : bounds) {
    if (bound.value < bound.least || bound.value > bound.most) {
      return out_of_bounds(bound);
    }
  }
  return std::nullopt;
}

// They lie right below 4 GiB, and a slot must not begin among the aliases.
std::optional<Error> check_internal_slots(const MachineConfig& config,
                                          const AliasSpace& space) {
  const bool collide = space.bit_count != 0 && space.low_bit < 32;
  if (!config.internal_slots || !collide) return std::nullopt;
  return Error{ErrorCode::kConfig,
               {{{"bit", space.low_bit}}},
               "internalSlots need alias bits above 31, as they lie at "
               "0xfee00000, got preset " +
                   space.preset};
}

// KVM's patches mask stolen bits out of 64-bit guest entries; the other two
// formats refuse them. KVM: -EOPNOTSUPP.
bool has_room_for_aliases(GuestPaging paging) {
  return paging == GuestPaging::kLong || paging == GuestPaging::kPae;
}

}  // namespace

Result<MachineSetup> check_config(const MachineConfig& config) {
  Result<AliasSpace> space = parse_preset(config.preset);
  if (!space) return space.error();
  if (auto error = check_bounds(config, space.value())) return *error;
  if (auto error = check_internal_slots(config, space.value())) return *error;
  Result<FlushProvider> provider = parse_flush_provider(config.flush_provider);
  if (!provider) return provider.error();
  Result<ExternalTables> external =
      parse_external_tables(config.external_tables);
  if (!external) return external.error();
  return MachineSetup{config, std::move(space.value()), provider.value(),
                      external.value()};
}

namespace {

// Takes what was made, or answers why it was not.
template <class T>
std::optional<Error> keep(Result<T> made, std::unique_ptr<T>& here) {
  if (!made) return made.error();
  here = std::make_unique<T>(std::move(made.value()));
  return std::nullopt;
}

}  // namespace

std::optional<Error> reserve_memory(MachineSetup& setup,
                                    const PagePool& arena) {
  const MachineConfig& config = setup.config;
  std::optional<Error> error;
  if (config.tlb.exists() || config.tlb.has_links()) {
    error = keep(TlbSet::create(config.tlb, config.vcpus), setup.tlbs);
  }
  if (!error && uses_pml(config.host)) {
    error = keep(PmlBuffers::create(), setup.pml);
  }
  if (!error && config.host.nx_huge_pages) {
    error = keep(PageQueue::create(arena), setup.nx_pages);
  }
  if (!error && config.mmu == Flavour::kRmap) {
    error = keep(ParentLists::create(arena), setup.parents);
    if (!error) error = keep(PageQueue::create(arena), setup.active_pages);
  }
  return error;
}

std::string not_applicable(const AliasEntry& strategy,
                           const MachineSetup& setup) {
  const AliasSupport& support = strategy.support;
  const PresetKind kind = setup.space.kind;
  const bool is_tdp = setup.config.mmu == Flavour::kTdp;
  if (!(is_tdp ? support.tdp : support.rmap)) {
    return is_tdp ? "its source has the rmap flavour only"
                  : "its source has the tdp flavour only";
  }
  if (!support.needs_alias_bits) return {};
  if (kind == PresetKind::kStripped) return "the hardware strips it";
  if (setup.space.bit_count != 0 &&
      !has_room_for_aliases(setup.config.guest_paging)) {
    return "the guest's page tables have no room for alias bits (EOPNOTSUPP)";
  }
  if (kind == PresetKind::kPrivateShared && !support.private_shared) {
    return "it cannot tell private memory from shared";
  }
  if (kind != PresetKind::kPrivateShared && !support.attribute) {
    return "it needs a preset that tells private memory from shared";
  }
  if (support.refuses_provider && setup.provider.exists()) {
    return "it takes no range provider (EOPNOTSUPP): TDX has none";
  }
  return {};
}

}  // namespace mmu
