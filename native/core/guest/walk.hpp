// KVM's walk of a guest's own tables: an address in, an address or a fault out.
//
// Laws (test/native/guest_walk_test.cpp, test/oracle/guest-walk.test.ts):
//   nothing is written unless every entry was present and in order, and the
//   access is allowed; an update sets Accessed and Dirty and nothing else;
//   an entry out of reach is one that is not present.
//
// Which TLB remembers an answer, and what is mapped behind it, it does not
// know; nor whether an address is canonical, which an instruction asks.
//
// KVM: FNAME(walk_addr_generic), translate_nested_gpa() (v6.16).
#pragma once

#include <cstdint>
#include <vector>

#include "core/guest/guest_tables.hpp"
#include "core/guest/translation.hpp"
#include "core/guest/walk_rules.hpp"

namespace mmu {

class GuestWalker {
 public:
  // `trail`: where references go, if they are wanted.
  explicit GuestWalker(GuestTables& tables,
                       std::vector<GuestReference>* trail = nullptr)
      : tables_(tables), trail_(trail) {}

  // `access`: bits of a fault's error code: W, U, F; none of them is a read by
  // the supervisor, and pferr::kImplicitAccess one that the CPU makes itself.
  // `second`: of the tables under the guest's own, where it is one of a
  // hypervisor that is a guest itself; else null.
  GuestTranslation walk(const WalkRules& rules, const WalkRules* second,
                        std::uint64_t address, std::uint64_t access);

 private:
  template <class Format>
  struct Way;

  template <class Format>
  GuestTranslation walk_tables(const WalkRules& rules, std::uint64_t root,
                               const WalkRules* second, std::uint64_t address,
                               std::uint64_t access);
  template <class Format>
  Way<Format> descend(const WalkRules& rules, std::uint64_t root,
                      const WalkRules* second, std::uint64_t address);
  template <class Format>
  Exchange mark_used(const Way<Format>& way, std::uint64_t access);
  GuestTranslation through(const WalkRules* second, std::uint64_t gpa,
                           std::uint64_t access);

  GuestTables& tables_;
  std::vector<GuestReference>* trail_;
  // Whether it is a second level's tables that are read just now.
  bool is_beneath_ = false;
};

}  // namespace mmu
