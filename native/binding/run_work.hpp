// One batch through a machine, for run() and runSync() alike, in three phases:
//
//   begin   on the JavaScript thread: check, and find the columns
//   apply   anywhere: Machine::run(), no JavaScript
//   settle  on the JavaScript thread: a number or a refusal
//
// runSync() calls one after the other; RunWork is the same with the middle
// phase on the pool.
#pragma once

#include <uv.h>

#include <memory>
#include <optional>

#include "binding/columns.hpp"
#include "binding/errors.hpp"
#include "binding/napi.hpp"
#include "core/machine.hpp"

namespace mmu::binding {

class AddonData;
class VmWrap;

// All that the middle phase may touch. It owns its machine, so closing the VM
// takes nothing away from a thread that is using it.
struct Batch {
  std::shared_ptr<Machine> machine;
  // Who helps, if anybody; it is left with the batch, not with the control,
  // which outlives it.
  std::shared_ptr<HitCrew> crew;
  std::shared_ptr<RunControl> control;
  EventColumns events;
  OutcomeColumns outcomes;
  RunResult result;

  void apply() noexcept;

  // Why not every row was applied; `closed` says that the VM was closed on the
  // way. Nothing if every row was.
  std::optional<mmu::Error> refusal_if(bool closed) const;
};

// A run on the pool. It owns itself from start() until its promise settles and
// holds references to the VM's object and to both blocks, so that none of them
// is collected under it.
//
// libuv is used directly because of how environments end: Node waits for
// napi_async_work before it calls cleanup hooks, so a worker that is
// terminated would wait for the whole batch. Requests of our own it leaves to
// our hook, which stops the run first (AddonData).
class RunWork {
 public:
  // Arguments as for RunBlocks, then helpers. Every refusal is a rejection.
  static Napi::Promise start(VmWrap& vm, const Napi::CallbackInfo& info);

  RunWork(const RunWork&) = delete;
  RunWork& operator=(const RunWork&) = delete;

  // Makes the run end soon: at once if the pool has not begun it.
  void cancel() noexcept;

 private:
  RunWork(VmWrap& vm, const Napi::CallbackInfo& info);

  static void on_pool(uv_work_t* request);
  static void on_loop(uv_work_t* request, int status);

  void begin(const Napi::CallbackInfo& info);
  void settle();
  bool blocks_moved() const;

  uv_work_t request_{};
  Batch batch_;
  VmWrap& vm_;
  Napi::ObjectReference vm_object_;
  Napi::Reference<Napi::ArrayBuffer> events_;
  Napi::Reference<Napi::ArrayBuffer> outcomes_;
  Napi::Promise::Deferred deferred_;
  CallerError error_;
  Napi::AsyncContext context_;
};

}  // namespace mmu::binding
