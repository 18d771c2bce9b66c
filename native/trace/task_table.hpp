// What a trace says of each thread: which vCPU it runs, and what its last
// exit decides about the next fault. In bounded memory.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "trace/vendor.hpp"

namespace mmu::trace {

struct Task {
  std::optional<std::uint16_t> vcpu;    // as kvm_entry or kvm_exit named it
  std::optional<std::uint16_t> number;  // by its name, or given to it
  const Vendor* decided = nullptr;
};

class TaskTable {
 public:
  // Null if there are too many: damaged input must not fill the memory.
  Task* find_or_add(std::uint32_t pid) {
    if (last_ != nullptr && last_pid_ == pid) return last_;
    auto at = tasks_.find(pid);
    if (at == tasks_.end()) {
      if (tasks_.size() >= kMaxTasks) return nullptr;
      at = tasks_.try_emplace(pid).first;
    }
    last_pid_ = pid;
    last_ = &at->second;
    return last_;
  }

  bool is_empty() const { return tasks_.empty(); }

  // The next vCPU that no thread has, in order of appearance.
  std::optional<std::uint16_t> next_number() {
    while (next_ < kMaxVcpus && is_taken(next_)) ++next_;
    if (next_ == kMaxVcpus) return std::nullopt;
    return next_++;
  }

 private:
  static constexpr std::size_t kMaxTasks = 65536;
  // KVM's own limit (KVM: KVM_MAX_VCPUS, v6.16).
  static constexpr std::uint16_t kMaxVcpus = 4096;

  bool is_taken(std::uint16_t vcpu) const {
    for (const auto& [pid, task] : tasks_) {
      if (task.vcpu == vcpu || task.number == vcpu) return true;
    }
    return false;
  }

  // Nodes stay where they are, so `last_` stays good.
  std::unordered_map<std::uint32_t, Task> tasks_;
  Task* last_ = nullptr;
  std::uint32_t last_pid_ = 0;
  std::uint16_t next_ = 0;
};

}  // namespace mmu::trace
