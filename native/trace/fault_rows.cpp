#include "trace/fault_rows.hpp"

#include <algorithm>

#include "core/address.hpp"
#include "trace/text_parts.hpp"

namespace mmu::trace {
namespace {

// Keys of `skipped`; those with "note: " are about rows which were made.
constexpr std::string_view kVcpuByEntry = "note: vcpu by kvm_entry or kvm_exit";
constexpr std::string_view kVcpuByName = "note: vcpu by the task's name";
constexpr std::string_view kVcpuByOrder = "note: vcpu numbered by task";
constexpr std::string_view kVcpuUnknown = "note: vcpu unknown";
constexpr std::string_view kNoSeconds = "note: timestamp not in seconds";
constexpr std::string_view kVirtual =
    "kvm_page_fault at a guest-virtual address (shadow paging)";

// KVM_PFN_NOSLOT as the event prints it.
constexpr std::string_view kNoPage = "pfn 8000000000000000";

// "... level 2 ..."; 0 if there is none.
unsigned level_in(std::string_view fields) {
  constexpr std::string_view kLabel = " level ";
  const std::size_t at = fields.find(kLabel);
  if (at == std::string_view::npos) return 0;
  std::uint64_t level = 0;
  TextReader reader(fields.substr(at + kLabel.size()));
  reader.decimal(level);
  const bool known = !reader.mismatch() && level <= kMaxLevels;
  return known ? static_cast<unsigned>(level) : 0;
}

// "reason EPT_VIOLATION rip ..." behind an optional vCPU; empty if not there.
std::string_view reason_in(std::string_view fields) {
  constexpr std::string_view kLabel = "reason ";
  const std::size_t at = fields.find(kLabel);
  return at == std::string_view::npos ? std::string_view()
                                      : fields.substr(at + kLabel.size());
}

}  // namespace

Mismatch FaultRows::take(const Line& line, const Fault& fault,
                         EventSink& sink) {
  Task* const task =
      tasks_.is_empty() && fault.names_vcpu ? nullptr : task_of(line);
  const Vendor* const decided = task ? task->decided : nullptr;
  const Judged judged = judge_.judge(fault.error_code, fault.gpa, decided);
  if (const Mismatch mismatch = check(fault, judged)) return mismatch;
  judge_.keep(judged, fault.error_code, fault.gpa);
  losses_.look_at(line);
  const bool told = judge_.forced() == judged.vendor;
  if (judged.vendor->is_virtual &&
      !(told && fits(fault.gpa, kMaxAddressBits))) {
    skipped_.add(kVirtual);
    return {};
  }
  Row row;
  row.gpa = fault.gpa;
  row.error_code = fault.error_code;
  row.rip = fault.rip;
  row.access = judged.access;
  row.vcpu = fault.names_vcpu ? static_cast<std::uint16_t>(fault.vcpu)
                              : vcpu_of(line, task);
  if (line.decimals == 0) skipped_.add(kNoSeconds);
  if (sink.time != nullptr) row.time = line.seconds();
  append(sink, row);
  ++totals_.records;
  return {};
}

void FaultRows::learn(std::string_view event, const Line& line) {
  losses_.look_at(line);
  if (event == "kvm_mmu_spte_requested") learn_page(event_fields(line));
  if (event == "kvm_tdp_mmu_spte_changed") {
    const unsigned level = level_in(event_fields(line));
    totals_.top_level = std::max(totals_.top_level, level);
  }
  const bool is_exit = event == "kvm_exit";
  if (!is_exit && event != "kvm_entry") return;
  TextReader reader(trim(event_fields(line)));
  const std::string_view reason =
      is_exit ? reason_in({reader.at(), reader.left()}) : std::string_view();
  const Vendor* const decided = judge_.keep_exit(reason);
  Task* const task = task_of(line);
  if (task == nullptr) return;
  task->decided = decided;
  std::uint64_t vcpu = 0;
  reader.literal("vcpu ").decimal(vcpu);
  if (!reader.mismatch() && vcpu <= UINT16_MAX) {
    task->vcpu = static_cast<std::uint16_t>(vcpu);
  }
}

// Once for every fault that maps a page; MMIO entries have no page.
void FaultRows::learn_page(std::string_view fields) {
  if (fields.find(kNoPage) != std::string_view::npos) return;
  const unsigned level = level_in(fields);
  if (level != 0) ++totals_.mapped_levels[level];
}

void FaultRows::settle() {
  judge_.note(totals_);
  totals_.vendor = judge_.guess();
}

Task* FaultRows::task_of(const Line& line) {
  const auto pid = pid_of_task(line.task);
  return pid ? tasks_.find_or_add(*pid) : nullptr;
}

std::uint16_t FaultRows::vcpu_of(const Line& line, Task* task) {
  if (task && task->vcpu) {
    skipped_.add(kVcpuByEntry);
    return *task->vcpu;
  }
  if (const auto named = vcpu_of_task(line.task)) {
    if (task) task->number = named;
    skipped_.add(kVcpuByName);
    return *named;
  }
  return number_of(task);
}

std::uint16_t FaultRows::number_of(Task* task) {
  if (task && !task->number) task->number = tasks_.next_number();
  if (!task || !task->number) {
    skipped_.add(kVcpuUnknown);
    return 0;
  }
  skipped_.add(kVcpuByOrder);
  return *task->number;
}

Mismatch FaultRows::check(const Fault& fault, const Judged& judged) const {
  if (judged.vendor == nullptr) return {fault.error_code_at, judge_.expected()};
  if (!judged.vendor->is_virtual && !fits(fault.gpa, kMaxAddressBits)) {
    return {fault.gpa_at, "a gpa below 2^52"};
  }
  return {};
}

}  // namespace mmu::trace
