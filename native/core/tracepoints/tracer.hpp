// What a VM that is traced tells its sink: the lines of KVM's tracepoints, in
// KVM's order.
//
// A tracer reads the VM and changes nothing. It is asked for only where one is
// set (`if (mmu.trace) ...`), and a VM that has one takes none of the short
// ways through a batch, so that whoever is not traced pays one test on slow
// paths. Where the engine drops a whole tree at once, the tracer walks it first
// and says what KVM would have said pass by pass.
//
// KVM: handle_changed_spte(), handle_removed_pt(), tdp_mmu_zap_root() (v6.16).
#pragma once

#include <memory>

#include "core/fault.hpp"
#include "core/tracepoints/trace_layout.hpp"
#include "core/tracepoints/trace_sink.hpp"

namespace mmu {

class Tracer final : public SpteObserver {
 public:
  Tracer(const Mmu& mmu, std::unique_ptr<TraceSink> sink,
         const TraceLayout& layout)
      : mmu_(mmu), sink_(std::move(sink)), layout_(layout) {}

  // For tracepoints that need nothing but what their caller knows.
  TraceSink& out() const { return *sink_; }
  // Before anything an event does; of the VM's own, vCPU 0.
  void begin(unsigned vcpu = 0) const { sink_->begin(mmu_.event, vcpu); }

  // An exit, handed to the fault handler. Also names the root that the vCPU
  // had to make before it could run.
  void page_fault(const Fault& fault);
  void spte_requested(const Fault& fault, Pfn pfn, Level level) const;
  // A leaf was put at `index`, or an MMIO entry.
  void set_spte(const Fault& fault, TableRef table, unsigned index) const;
  void mark_mmio_spte(const Fault& fault, TableRef table, unsigned index) const;
  // A misconfiguration that ended on this MMIO entry.
  void mmio_page_fault(Spte spte, bool valid) const;
  // An attempt of the fast path; `old` was there, whatever is there now.
  void fast_page_fault(const Fault& fault, TableRef table, unsigned index,
                       Spte old, bool fixed) const;
  // Before the direct root goes, with all it has.
  void zap_all_fast() const;
  void get_page(TableRef table, bool is_new) const;
  void prepare_zap_page(TableRef table) const;

  // Trees only; shadow pages of the rmap flavour have no such tracepoint.
  void changed(TableRef table, unsigned index, Spte old,
               Spte now) noexcept override;
  void made(TableRef table) noexcept override { get_page(table, true); }
  void was_split(TableRef table, unsigned index, Spte huge) noexcept override;

  // Tables that go from now on go under the lock that keeps faults out, where
  // KVM need not freeze what is absent.
  class KeepsFaultsOut {
   public:
    explicit KeepsFaultsOut(Tracer* tracer) : tracer_(tracer) {
      if (tracer_ != nullptr) tracer_->faults_are_out_ = true;
    }
    ~KeepsFaultsOut() {
      if (tracer_ != nullptr) tracer_->faults_are_out_ = false;
    }
    KeepsFaultsOut(const KeepsFaultsOut&) = delete;
    KeepsFaultsOut& operator=(const KeepsFaultsOut&) = delete;

   private:
    Tracer* tracer_;
  };

 private:
  tracepoint::PageFault described(const Fault& fault) const;
  tracepoint::ShadowPage described(TableRef table) const;
  tracepoint::ShadowPage described(Gfn gfn, PageRole role, RootId root) const;
  void announce_root(RootId root);
  Spte read(TableRef table, unsigned index) const;
  AliasedGfn frame_of(TableRef table, unsigned index) const;
  std::uint64_t at(TableRef table, unsigned index) const;

  // zap_order.cpp. A set of levels, as bits: their entries are gone already.
  void zap_root() const;
  void zap_level(TableRef table, Level level, unsigned gone) const;
  void removed_table(TableRef table, unsigned gone) const;
  bool prints_when_removed(Spte old) const;

  const Mmu& mmu_;
  std::unique_ptr<TraceSink> sink_;
  const TraceLayout& layout_;
  bool faults_are_out_ = false;
  // Of each root, one more than the making that was announced last.
  std::array<std::uint32_t, kRootCount> announced_{};
};

}  // namespace mmu
