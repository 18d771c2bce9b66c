// The JavaScript object of one VM: one method per export, and the state that
// keeps a machine to one thread at a time.
//
// Every method first reads its arguments, since that may run JavaScript, and
// then asks for the machine, which refuses while a run is in flight and after
// close(). No check of meaning is here, and no exception is caught here.
#pragma once

#include <cstdint>
#include <memory>

#include "binding/columns.hpp"
#include "binding/napi.hpp"
#include "binding/run_work.hpp"
#include "core/machine.hpp"

namespace mmu::binding {

class AddonData;

class VmWrap : public Napi::ObjectWrap<VmWrap> {
 public:
  static constexpr const char* kClassName = "Vm";
  static constexpr napi_type_tag kTag{0x3c8a61f4d07e4b29, 0xa1d95b7c2e6f4083};

  static Napi::Function define(Napi::Env env);

  explicit VmWrap(const Napi::CallbackInfo& info);
  ~VmWrap() override;

  // Batch with the machine of this VM, its columns found. Throws ERR_CLOSED,
  // ERR_BUSY or ERR_BATCH.
  Batch begin(const RunBlocks& blocks);
  // Those who help a run; nobody for 0. Made when they are first asked for,
  // and ended by shut(), or by a run that still has them.
  std::shared_ptr<HitCrew> crew(unsigned helpers);
  void run_started(RunWork& run) noexcept;
  void run_finished() noexcept;

  bool is_closed() const noexcept { return state_ == State::kClosed; }
  AddonData& addon() const noexcept { return addon_; }

  // Closes without touching JavaScript, any number of times. A run in flight
  // keeps the machine until it has noticed.
  void shut() noexcept;
  // Ends a run in flight soon; nothing otherwise.
  void stop() noexcept;

 private:
  using Properties = std::vector<Napi::ClassPropertyDescriptor<VmWrap>>;

  enum class State : std::uint8_t {
    kOpen,     // no thread uses the machine
    kRunning,  // a pool thread uses it, and nobody else may
    kClosed,   // gone, or kept by the run in flight alone
  };

  // What JavaScript finds on the class.
  static Properties requests();
  static Properties queries();

  Machine& machine();
  // Tells the garbage collector what the tables weigh.
  void weigh() noexcept;

  Napi::Value run_sync(const Napi::CallbackInfo& info);
  Napi::Value run(const Napi::CallbackInfo& info);
  Napi::Value abort(const Napi::CallbackInfo& info);
  Napi::Value applied(const Napi::CallbackInfo& info);
  Napi::Value step(const Napi::CallbackInfo& info);
  Napi::Value set_memslot(const Napi::CallbackInfo& info);
  Napi::Value set_host_mapping(const Napi::CallbackInfo& info);
  Napi::Value prefault(const Napi::CallbackInfo& info);
  Napi::Value invalidation(const Napi::CallbackInfo& info);
  Napi::Value set_mmu_pages(const Napi::CallbackInfo& info);
  Napi::Value set_mtrr(const Napi::CallbackInfo& info);
  Napi::Value memslots(const Napi::CallbackInfo& info);
  Napi::Value memslot(const Napi::CallbackInfo& info);
  Napi::Value generation(const Napi::CallbackInfo& info);
  Napi::Value dirty_log(const Napi::CallbackInfo& info);
  Napi::Value set_trace(const Napi::CallbackInfo& info);
  Napi::Value take_trace(const Napi::CallbackInfo& info);
  Napi::Value clear_dirty_log(const Napi::CallbackInfo& info);
  Napi::Value collect_ring(const Napi::CallbackInfo& info);
  Napi::Value reset_rings(const Napi::CallbackInfo& info);
  Napi::Value enable_cap(const Napi::CallbackInfo& info);
  Napi::Value disable_quirks(const Napi::CallbackInfo& info);
  Napi::Value create_vcpu(const Napi::CallbackInfo& info);
  Napi::Value create_guest_memfd(const Napi::CallbackInfo& info);
  Napi::Value guest_write(const Napi::CallbackInfo& info);
  Napi::Value guest_read(const Napi::CallbackInfo& info);
  Napi::Value set_guest_cpuid(const Napi::CallbackInfo& info);
  Napi::Value set_guest_registers(const Napi::CallbackInfo& info);
  Napi::Value guest_registers(const Napi::CallbackInfo& info);
  Napi::Value load_guest_cr3(const Napi::CallbackInfo& info);
  Napi::Value set_nested_paging(const Napi::CallbackInfo& info);
  Napi::Value write_guest_memory(const Napi::CallbackInfo& info);
  Napi::Value read_guest_memory(const Napi::CallbackInfo& info);
  Napi::Value address_by_gva(const Napi::CallbackInfo& info);
  Napi::Value access_gva(const Napi::CallbackInfo& info);
  Napi::Value guest_fault(const Napi::CallbackInfo& info);
  Napi::Value translate(const Napi::CallbackInfo& info);
  Napi::Value translate_batch(const Napi::CallbackInfo& info);
  Napi::Value walk_batch(const Napi::CallbackInfo& info);
  Napi::Value walk(const Napi::CallbackInfo& info);
  Napi::Value page(const Napi::CallbackInfo& info);
  Napi::Value rmap(const Napi::CallbackInfo& info);
  Napi::Value leaves(const Napi::CallbackInfo& info);
  Napi::Value stats(const Napi::CallbackInfo& info);
  Napi::Value vcpu_stats(const Napi::CallbackInfo& info);
  Napi::Value tables(const Napi::CallbackInfo& info);
  Napi::Value dirty_rounds(const Napi::CallbackInfo& info);
  Napi::Value table_list(const Napi::CallbackInfo& info);
  Napi::Value leaf_counts(const Napi::CallbackInfo& info);
  Napi::Value rmap_count(const Napi::CallbackInfo& info);
  Napi::Value is_private(const Napi::CallbackInfo& info);
  Napi::Value flushes(const Napi::CallbackInfo& info);
  Napi::Value violations(const Napi::CallbackInfo& info);
  Napi::Value advisories(const Napi::CallbackInfo& info);
  Napi::Value judged(const Napi::CallbackInfo& info);
  Napi::Value audit(const Napi::CallbackInfo& info);
  Napi::Value audit_every(const Napi::CallbackInfo& info);
  Napi::Value coexisting(const Napi::CallbackInfo& info);
  Napi::Value conversions(const Napi::CallbackInfo& info);
  Napi::Value closed(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  AddonData& addon_;
  State state_ = State::kOpen;
  std::shared_ptr<Machine> machine_;
  // Of the run in flight or of the last one.
  std::shared_ptr<RunControl> control_;
  std::shared_ptr<HitCrew> crew_;
  unsigned helpers_ = 0;
  // The run in flight, if any. It owns itself and keeps this object alive.
  RunWork* run_ = nullptr;
  std::int64_t weight_ = 0;
};

}  // namespace mmu::binding
