// Builders for tests of audits: the state of a VM without the machine around
// it, so that a test can damage what no call would.
//
// Books that are only lent out to be read belong to the VM here too, so taking
// const from them is allowed.
#pragma once

#include <algorithm>

#include "alias_world.hpp"
#include "core/access.hpp"
#include "core/audit/audit.hpp"
#include "core/flavour.hpp"
#include "core/last_entry.hpp"
#include "core/memslot_ops.hpp"
#include "core/vm_events.hpp"

namespace world {

class Audited {
 public:
  explicit Audited(const mmu::MachineConfig& config) : Audited(make(config)) {}
  explicit Audited(const Setup& setup) : Audited(setup.config()) {}

  mmu::Mmu& mmu() { return *mmu_; }

  void add(const Slot& slot) {
    REQUIRE(mmu::set_memslot(*mmu_, slot.region()));
  }
  mmu::Outcome access(std::uint64_t gpa, std::uint8_t how = mmu::kAccessWrite) {
    mmu::Outcome out;
    REQUIRE(
        mmu::perform_access(*mmu_, {mmu::gfn_of(mmu::Gpa{gpa}), how, 0}, out));
    ++mmu_->event;
    return out;
  }
  void operate(mmu::EventKind kind, std::uint64_t gpa = 0,
               std::uint64_t bytes = 0, std::uint8_t flags = 0) {
    mmu::apply_vm_event(*mmu_, {kind, flags, 0, gpa >> mmu::kPageShift,
                                (gpa + bytes) >> mmu::kPageShift});
    ++mmu_->event;
  }

  // The table of this level on the way to a gpa, in the direct tree.
  mmu::TableRef table(std::uint64_t gpa, mmu::Level level) {
    mmu::TableRef at = tree().root();
    while (at.level > level) {
      const unsigned index = index_of(gpa, at.level);
      at = mmu::link::table(tree().get(at, index), mmu::below(at.level));
    }
    REQUIRE(at.id != mmu::kNoPage);
    return at;
  }
  // The word that stands in a full table for a gpa.
  std::uint64_t& word(std::uint64_t gpa, mmu::Level level) {
    const mmu::TableRef at = table(gpa, level);
    REQUIRE_FALSE(at.compact);
    return mmu_->pool.full(at.id).entries[index_of(gpa, level)];
  }
  mmu::PageTable& tree() { return mmu_->tree(mmu::RootId::kDirect); }

  template <class Book>
  static Book& mine(const Book& book) {
    return const_cast<Book&>(book);
  }

  mmu::AuditReport audit() const { return mmu::audit(*mmu_); }
  // What is found, apart by newlines: "rule: reason at gpa level n (defect)".
  std::string found() const {
    std::string text;
    for (const mmu::AuditFinding& finding : audit().findings) {
      text += text.empty() ? "" : "\n";
      text += std::string(finding.rule) + ": " + finding.reason;
      if (finding.place) {
        text += " at " + mmu::number(finding.place->gpa) + " level " +
                std::to_string(finding.place->level);
      }
      if (!finding.defect.empty()) {
        text += " (" + std::string(finding.defect) + ")";
      }
    }
    return text;
  }

 private:
  struct Parts {
    std::unique_ptr<mmu::Alias> alias;
    std::unique_ptr<mmu::Mmu> mmu;
  };

  explicit Audited(Parts parts)
      : alias_(std::move(parts.alias)), mmu_(std::move(parts.mmu)) {}

  static Parts make(const mmu::MachineConfig& config) {
    auto setup = mmu::check_config(config);
    REQUIRE(setup);
    auto arena = mmu::PagePool::create(256 * kMiB);
    REQUIRE(arena);
    REQUIRE_FALSE(mmu::reserve_memory(setup.value(), arena.value()));
    const mmu::AliasEntry* strategy = mmu::find_alias(config.strategy);
    REQUIRE(strategy != nullptr);
    auto alias = strategy->answers(setup.value().space, config.mmu);
    auto mmu = std::make_unique<mmu::Mmu>(std::move(setup.value()), *alias,
                                          std::move(arena.value()));
    return {std::move(alias), std::move(mmu)};
  }

  static unsigned index_of(std::uint64_t gpa, mmu::Level level) {
    return mmu::table_index(mmu::gfn_of(mmu::Gpa{gpa}), level);
  }

  std::unique_ptr<mmu::Alias> alias_;
  std::unique_ptr<mmu::Mmu> mmu_;
};

}  // namespace world
