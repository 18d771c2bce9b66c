// A machine's configuration, checked and taken apart.
#pragma once

#include "core/alias/alias_space.hpp"
#include "core/external_tables.hpp"
#include "core/flush_provider.hpp"
#include "core/machine.hpp"
#include "core/page_queue.hpp"
#include "core/parent_lists.hpp"
#include "core/pml.hpp"
#include "core/tlb.hpp"

namespace mmu {

struct MachineSetup {
  MachineConfig config;
  AliasSpace space;
  FlushProvider provider;
  ExternalTables external;
  // Memory that may not be had, asked for before there is a machine. Null
  // where the configuration needs none.
  std::unique_ptr<TlbSet> tlbs{};
  std::unique_ptr<PmlBuffers> pml{};
  std::unique_ptr<PageQueue> nx_pages{};
  std::unique_ptr<ParentLists> parents{};
  std::unique_ptr<PageQueue> active_pages{};
};

// Every check of a configuration, of what it asks for alone.
Result<MachineSetup> check_config(const MachineConfig& config);

// Asks for it. `arena`: of the machine to be.
std::optional<Error> reserve_memory(MachineSetup& setup, const PagePool& arena);

// Why a strategy cannot be had with this configuration; empty if it can.
struct AliasEntry;
std::string not_applicable(const AliasEntry& strategy,
                           const MachineSetup& setup);

}  // namespace mmu
