#include "binding/addon_data.hpp"

#include <algorithm>

#include "binding/vm_wrap.hpp"

namespace mmu::binding {

AddonData::AddonData(Napi::Env env) {
  napi_add_async_cleanup_hook(env, on_teardown, this, &hook_);
}

void AddonData::attach(Napi::Env env) {
  AddonData* const data = new AddonData(env);
  env.SetInstanceData<AddonData>(data);
  const Napi::Value process = env.Global().Get("process");
  if (!process.IsObject()) return;
  const Napi::Function on_exit = Napi::Function::New(
      env, [data](const Napi::CallbackInfo&) { data->stop_all(); });
  const Napi::Value once = process.As<Napi::Object>().Get("once");
  if (!once.IsFunction()) return;
  once.As<Napi::Function>().Call(process,
                                 {Napi::String::New(env, "exit"), on_exit});
}

AddonData& AddonData::of(Napi::Env env) {
  return *env.GetInstanceData<AddonData>();
}

void AddonData::opened(VmWrap& vm) { open_.push_back(&vm); }

void AddonData::closed(VmWrap& vm) noexcept { std::erase(open_, &vm); }

void AddonData::run_finished() noexcept {
  --runs_in_flight_;
  release_environment();
}

void AddonData::on_teardown(napi_async_cleanup_hook_handle, void* data) {
  AddonData& addon = *static_cast<AddonData*>(data);
  addon.tearing_down_ = true;
  addon.close_all();
  addon.release_environment();
}

void AddonData::stop_all() noexcept {
  for (VmWrap* vm : open_) vm->stop();
}

void AddonData::close_all() noexcept {
  while (!open_.empty()) open_.back()->shut();
}

void AddonData::release_environment() noexcept {
  if (!tearing_down_ || runs_in_flight_ != 0) return;
  napi_remove_async_cleanup_hook(hook_);
}

}  // namespace mmu::binding
