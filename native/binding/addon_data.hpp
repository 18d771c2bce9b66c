// What the addon knows of one environment, the main thread's or a worker's:
// its open VMs and how many runs are in flight. There are no globals.
//
// An environment ends in one of two ways, and both must stop the runs:
//
//   process.exit()   on the main thread runs no cleanup hook, but joins the
//                    pool. A listener on 'exit' makes that join short. It
//                    closes nothing: later listeners may ask for results.
//   everything else  runs the cleanup hook, which closes the VMs and holds the
//                    environment until the last run has returned.
#pragma once

#include <cstddef>
#include <vector>

#include "binding/napi.hpp"

namespace mmu::binding {

class VmWrap;

class AddonData {
 public:
  // Once per environment, before any other use.
  static void attach(Napi::Env env);
  static AddonData& of(Napi::Env env);

  // Called by the environment alone, after attach().
  explicit AddonData(Napi::Env env);
  AddonData(const AddonData&) = delete;
  AddonData& operator=(const AddonData&) = delete;

  void opened(VmWrap& vm);
  void closed(VmWrap& vm) noexcept;

  void run_started() noexcept { ++runs_in_flight_; }
  // The last thing that a run does.
  void run_finished() noexcept;

  // From here on no JavaScript can run and no promise can be settled.
  bool tearing_down() const noexcept { return tearing_down_; }

 private:
  static void on_teardown(napi_async_cleanup_hook_handle handle, void* data);

  void stop_all() noexcept;
  // From the last opened to the first: a VM may lean on what was there before
  // it, never on what came later.
  void close_all() noexcept;
  void release_environment() noexcept;

  napi_async_cleanup_hook_handle hook_ = nullptr;
  std::vector<VmWrap*> open_;
  std::size_t runs_in_flight_ = 0;
  bool tearing_down_ = false;
};

}  // namespace mmu::binding
