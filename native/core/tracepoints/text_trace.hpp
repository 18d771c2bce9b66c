// The lines that tracefs would show: one function a tracepoint.
//
// What the model cannot know is 0: the guest's rip. The time is the number of
// the event, in microseconds; the task is gpalias-1, on the cpu of its vCPU.
//
// KVM: mmutrace.h, trace.h, include/trace/events/kvm.h (v6.16, 5.10).
#pragma once

#include "core/formats/shown.hpp"
#include "core/tracepoints/text_buffer.hpp"
#include "core/tracepoints/trace_layout.hpp"
#include "core/tracepoints/trace_sink.hpp"

namespace mmu {

class TextTrace final : public TraceSink {
 public:
  // Of a VM with this configuration.
  TextTrace(const TraceLayout& layout, const MachineConfig& config);

  // False: no memory for the text.
  bool reserve(std::size_t bytes) noexcept { return buffer_.reserve(bytes); }
  std::string take() { return buffer_.take(); }

  void begin(std::uint64_t event, unsigned vcpu) noexcept override {
    event_ = event;
    cpu_ = vcpu;
  }
  void page_fault(const tracepoint::PageFault& at) noexcept override;
  void spte_requested(const tracepoint::SpteRequested& at) noexcept override;
  void get_page(const tracepoint::ShadowPage& at,
                bool is_new) noexcept override;
  void prepare_zap_page(const tracepoint::ShadowPage& at) noexcept override;
  void spte_changed(const tracepoint::SpteChanged& at) noexcept override;
  void set_spte(const tracepoint::SpteSet& at) noexcept override;
  void mark_mmio_spte(const tracepoint::MmioMarked& at) noexcept override;
  void check_mmio_spte(const tracepoint::MmioChecked& at) noexcept override;
  void handle_mmio_page_fault(
      const tracepoint::MmioHandled& at) noexcept override;
  void fast_page_fault(const tracepoint::FastPageFault& at) noexcept override;
  void zap_all_fast(const tracepoint::ZapAllFast& at) noexcept override;
  void split_huge_page(const tracepoint::HugePageSplit& at) noexcept override;
  void unmap_hva_range(const tracepoint::HvaRange& at) noexcept override;
  void age_hva(const tracepoint::HvaRange& at) noexcept override;
  void test_age_hva(std::uint64_t hva) noexcept override;
  void dirty_ring_push(const tracepoint::DirtyRingPush& at) noexcept override;
  void dirty_ring_reset(const tracepoint::DirtyRing& at) noexcept override;
  void dirty_ring_exit(unsigned vcpu) noexcept override;
  void pml_full(unsigned vcpu) noexcept override;
  void try_async_get_page(const tracepoint::AsyncFault& at) noexcept override;
  void async_pf_repeated_fault(
      const tracepoint::AsyncFault& at) noexcept override;
  void async_pf_not_present(const tracepoint::AsyncToken& at) noexcept override;
  void async_pf_ready(const tracepoint::AsyncToken& at) noexcept override;

 private:
  // Adds "task-pid [cpu] flags time: " and the event's own text.
  [[gnu::format(__printf__, 2, 3)]] void line(const char* format, ...) noexcept;
  std::uint64_t shown(Spte spte, Level level) const;
  void async_fault(const char* name, const tracepoint::AsyncFault& at) noexcept;
  void async_token(const char* name, const tracepoint::AsyncToken& at) noexcept;

  const TraceLayout& layout_;
  ShownSptes shown_;
  TextBuffer buffer_;
  std::uint64_t event_ = 0;
  unsigned cpu_ = 0;
};

}  // namespace mmu
