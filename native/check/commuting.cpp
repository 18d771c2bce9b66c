#include "check/commuting.hpp"

#include <algorithm>

namespace mmu::check {
namespace {

// Only an access and a flush of its own TLB are a vCPU's own doing.
bool is_own_doing(const Step& step) {
  const auto* event = std::get_if<Event>(&step);
  return event != nullptr && (event->kind == EventKind::kAccess ||
                              event->kind == EventKind::kVcpuTlbFlush);
}

std::uint16_t only_vcpu(const Operation& operation) {
  std::uint16_t vcpu = Footprint::kNoVcpu;
  for (const Step& step : operation.steps) {
    if (!is_own_doing(step)) return Footprint::kNoVcpu;
    const std::uint16_t its = std::get<Event>(step).vcpu;
    if (vcpu != Footprint::kNoVcpu && vcpu != its) return Footprint::kNoVcpu;
    vcpu = its;
  }
  return vcpu;
}

// Neither the vCPU nor the page of the first step.
std::uint16_t rank_of(const Operation& operation) {
  if (operation.steps.empty()) return 0;
  const auto* event = std::get_if<Event>(&operation.steps.front());
  if (event == nullptr) return 0;
  return static_cast<std::uint16_t>(1 + static_cast<unsigned>(event->kind) * 8 +
                                    event->access);
}

}  // namespace

std::vector<Footprint> footprints_of(const std::vector<Operation>& operations) {
  std::vector<Footprint> all;
  all.reserve(operations.size());
  for (const Operation& operation : operations) {
    all.push_back({only_vcpu(operation), rank_of(operation)});
  }
  return all;
}

void Commuting::begin(std::uint32_t state, std::uint32_t parent) {
  while (!locals_.empty() && first_ < parent) {
    locals_.pop_front();
    ++first_;
  }
  // A state that memory ran out in is looked at again.
  while (!locals_.empty() && first_ + locals_.size() > state) {
    locals_.pop_back();
  }
  if (locals_.empty()) first_ = state;
  locals_.emplace_back();
}

void Commuting::tried(std::uint8_t operation, const StateParts& before,
                      const StateParts& after) {
  const std::uint16_t vcpu = footprints_[operation].vcpu;
  if (vcpu == Footprint::kNoVcpu || before.shared != after.shared) return;
  bool others_are_equal = before.vcpus.size() == after.vcpus.size();
  for (std::size_t i = 0; others_are_equal && i < before.vcpus.size(); ++i) {
    others_are_equal = i == vcpu || before.vcpus[i] == after.vcpus[i];
  }
  if (!others_are_equal) return;
  locals_.back().local.set(operation);
  if (before.vcpus == after.vcpus) locals_.back().idle.set(operation);
}

bool Commuting::spares(std::uint32_t parent, std::uint8_t via,
                       std::uint8_t operation) const noexcept {
  if (parent < first_ || parent - first_ >= locals_.size()) return false;
  const Locals& there = locals_[parent - first_];
  const Footprint& first = footprints_[via];
  const Footprint& second = footprints_[operation];
  if (!there.local[via] || !there.local[operation]) return false;
  if (first.vcpu == second.vcpu) return false;
  return there.idle[operation] || second.rank < first.rank;
}

}  // namespace mmu::check
