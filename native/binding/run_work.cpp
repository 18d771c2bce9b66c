#include "binding/run_work.hpp"

#include "binding/addon_data.hpp"
#include "binding/arguments.hpp"
#include "binding/vm_wrap.hpp"

namespace mmu::binding {

void Batch::apply() noexcept {
  const std::optional<Failure> failure = guard([&] {
    control->crew = crew.get();
    if (!control->stop) result = machine->run(events, outcomes, *control);
    control->crew = nullptr;
  });
  if (failure) {
    result = {.applied = control->applied,
              .failed = true,
              .error = std::get<mmu::Error>(*failure)};
  }
  control->applied = result.applied;
}

std::optional<mmu::Error> Batch::refusal_if(bool closed) const {
  const ErrorValue applied{"applied", result.applied};
  if (closed) return with_value(refusal(ErrorCode::kClosed, {}), applied);
  if (result.failed) return with_value(result.error, applied);
  if (result.applied == events.count) return std::nullopt;
  return with_value(refusal(ErrorCode::kAborted, {}), applied);
}

RunWork::RunWork(VmWrap& vm, const Napi::CallbackInfo& info)
    : vm_(vm),
      vm_object_(Napi::Persistent(info.This().As<Napi::Object>())),
      deferred_(Napi::Promise::Deferred::New(info.Env())),
      error_(info.Env()),
      context_(info.Env(), "gpalias.run") {
  request_.data = this;
}

Napi::Promise RunWork::start(VmWrap& vm, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  // Hooks of node:async_hooks may run in this constructor, so nothing is
  // checked before it.
  std::unique_ptr<RunWork> work(new RunWork(vm, info));
  const Napi::Promise promise = work->deferred_.Promise();
  if (const auto failure = guard([&] { work->begin(info); })) {
    work->deferred_.Reject(to_js(env, *failure).Value());
    return promise;
  }
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  vm.run_started(*work);
  uv_queue_work(loop, &work.release()->request_, on_pool, on_loop);
  return promise;
}

void RunWork::begin(const Napi::CallbackInfo& info) {
  const RunBlocks blocks(info);
  const auto helpers = info[4].IsUndefined()
                           ? std::uint8_t{0}
                           : integer<std::uint8_t>(info[4], "helpers");
  events_ = Napi::Persistent(blocks.events.buffer());
  outcomes_ = Napi::Persistent(blocks.outcomes.buffer());
  batch_ = vm_.begin(blocks);
  batch_.crew = vm_.crew(helpers);
}

void RunWork::cancel() noexcept {
  batch_.control->stop = true;
  uv_cancel(reinterpret_cast<uv_req_t*>(&request_));
}

void RunWork::on_pool(uv_work_t* request) {
  static_cast<RunWork*>(request->data)->batch_.apply();
}

void RunWork::on_loop(uv_work_t* request, int) {
  std::unique_ptr<RunWork> work(static_cast<RunWork*>(request->data));
  AddonData& addon = work->vm_.addon();
  const Napi::HandleScope scope(work->context_.Env());
  // Before anybody hears of the end, who may close the VM and count threads.
  work->batch_.crew.reset();
  work->vm_.run_finished();
  // A failure here means that the environment has begun to end: nobody is left
  // to hear of it.
  if (!addon.tearing_down()) guard([&] { work->settle(); });
  work.reset();
  addon.run_finished();
}

void RunWork::settle() {
  const Napi::Env env = context_.Env();
  // Continuations of the promise run when this scope ends.
  const Napi::CallbackScope scope(env, context_);
  std::optional<mmu::Error> error = batch_.refusal_if(vm_.is_closed());
  if (!error && blocks_moved()) {
    error = with_value(
        refusal(ErrorCode::kBatch, "a block was detached during its run"),
        {"applied", batch_.result.applied});
  }
  if (error) return deferred_.Reject(error_.become(*error));
  deferred_.Resolve(
      Napi::Number::New(env, static_cast<double>(batch_.result.applied)));
}

bool RunWork::blocks_moved() const {
  return events_.Value().IsDetached() || outcomes_.Value().IsDetached();
}

}  // namespace mmu::binding
