#include "binding/vm_wrap.hpp"

#include "binding/addon_data.hpp"
#include "binding/arguments.hpp"
#include "binding/choices.hpp"
#include "binding/errors.hpp"
#include "binding/exports.hpp"
#include "binding/values.hpp"
#include "binding/vm_config.hpp"

namespace mmu::binding {

namespace {

template <Method<VmWrap> method>
Napi::ClassPropertyDescriptor<VmWrap> on(const char* name) {
  return method_of<VmWrap, method>(name);
}

}  // namespace

VmWrap::Properties VmWrap::requests() {
  return {on<&VmWrap::run_sync>("runSync"),
          on<&VmWrap::run>("run"),
          on<&VmWrap::abort>("abort"),
          on<&VmWrap::step>("step"),
          on<&VmWrap::set_memslot>("setMemslot"),
          on<&VmWrap::set_host_mapping>("setHostMapping"),
          on<&VmWrap::prefault>("prefault"),
          on<&VmWrap::set_mmu_pages>("setMmuPages"),
          on<&VmWrap::set_mtrr>("setMtrr"),
          on<&VmWrap::dirty_log>("dirtyLog"),
          on<&VmWrap::set_trace>("setTrace"),
          on<&VmWrap::take_trace>("takeTrace"),
          on<&VmWrap::clear_dirty_log>("clearDirtyLog"),
          on<&VmWrap::collect_ring>("collectRing"),
          on<&VmWrap::reset_rings>("resetRings"),
          on<&VmWrap::enable_cap>("enableCap"),
          on<&VmWrap::disable_quirks>("disableQuirks"),
          on<&VmWrap::create_vcpu>("createVcpu"),
          on<&VmWrap::create_guest_memfd>("createGuestMemfd"),
          on<&VmWrap::guest_write>("guestWrite"),
          on<&VmWrap::guest_read>("guestRead"),
          on<&VmWrap::set_guest_cpuid>("setGuestCpuid"),
          on<&VmWrap::set_guest_registers>("setGuestRegisters"),
          on<&VmWrap::guest_registers>("guestRegisters"),
          on<&VmWrap::load_guest_cr3>("loadGuestCr3"),
          on<&VmWrap::set_nested_paging>("setNestedPaging"),
          on<&VmWrap::write_guest_memory>("writeGuestMemory"),
          on<&VmWrap::read_guest_memory>("readGuestMemory"),
          on<&VmWrap::address_by_gva>("addressByGva"),
          on<&VmWrap::access_gva>("accessGva"),
          on<&VmWrap::guest_fault>("guestFault"),
          on<&VmWrap::translate>("translate"),
          on<&VmWrap::translate_batch>("translateBatch"),
          on<&VmWrap::walk_batch>("walkBatch"),
          on<&VmWrap::audit_every>("auditEvery"),
          on<&VmWrap::close>("close")};
}

VmWrap::Properties VmWrap::queries() {
  return {on<&VmWrap::applied>("applied"),
          on<&VmWrap::invalidation>("invalidation"),
          on<&VmWrap::memslots>("memslots"),
          on<&VmWrap::memslot>("memslot"),
          on<&VmWrap::generation>("generation"),
          on<&VmWrap::walk>("walk"),
          on<&VmWrap::page>("page"),
          on<&VmWrap::rmap>("rmap"),
          on<&VmWrap::leaves>("leaves"),
          on<&VmWrap::stats>("stats"),
          on<&VmWrap::vcpu_stats>("vcpuStats"),
          on<&VmWrap::tables>("tables"),
          on<&VmWrap::dirty_rounds>("dirtyRounds"),
          on<&VmWrap::table_list>("tableList"),
          on<&VmWrap::leaf_counts>("leafCounts"),
          on<&VmWrap::rmap_count>("rmapCount"),
          on<&VmWrap::is_private>("isPrivate"),
          on<&VmWrap::flushes>("flushes"),
          on<&VmWrap::violations>("violations"),
          on<&VmWrap::advisories>("advisories"),
          on<&VmWrap::judged>("judged"),
          on<&VmWrap::audit>("audit"),
          on<&VmWrap::coexisting>("coexisting"),
          on<&VmWrap::conversions>("conversions"),
          getter_of<VmWrap, &VmWrap::closed>("closed")};
}

Napi::Function VmWrap::define(Napi::Env env) {
  Properties all = requests();
  for (const auto& property : queries()) all.push_back(property);
  return DefineClass(env, kClassName, all);
}

VmWrap::VmWrap(const Napi::CallbackInfo& info)
    : ObjectWrap(info),
      addon_(AddonData::of(info.Env())),
      control_(std::make_shared<RunControl>()) {
  machine_ = answer(info.Env(), [&] {
    return take(info.Env(), make_machine(vm_config(info[0])));
  });
  info.This().As<Napi::Object>().TypeTag(&kTag);
  weigh();
  // Last, because a constructor that throws runs no destructor.
  addon_.opened(*this);
}

VmWrap::~VmWrap() {
  shut();
  weigh();
}

Machine& VmWrap::machine() {
  if (state_ == State::kClosed) {
    throw to_js(Env(), refusal(ErrorCode::kClosed, {}));
  }
  if (state_ == State::kRunning) {
    throw to_js(Env(), refusal(ErrorCode::kBusy, "a run is in flight"));
  }
  return *machine_;
}

void VmWrap::weigh() noexcept {
  const std::int64_t weight =
      machine_ ? static_cast<std::int64_t>(machine_->tables().bytes_committed)
               : 0;
  std::int64_t total = 0;
  napi_adjust_external_memory(Env(), weight - weight_, &total);
  weight_ = weight;
}

Batch VmWrap::begin(const RunBlocks& blocks) {
  machine();
  Batch batch{
      .machine = machine_,
      .crew = nullptr,
      .control = std::make_shared<RunControl>(),
      .events = blocks.event_columns(),
      .outcomes = blocks.outcome_columns(),
      .result = {},
  };
  control_ = batch.control;
  return batch;
}

std::shared_ptr<HitCrew> VmWrap::crew(unsigned helpers) {
  if (helpers == 0) return nullptr;
  if (crew_ == nullptr || helpers_ != helpers) {
    crew_ = make_crew(helpers);
    helpers_ = helpers;
  }
  return crew_;
}

void VmWrap::run_started(RunWork& run) noexcept {
  state_ = State::kRunning;
  run_ = &run;
  addon_.run_started();
}

void VmWrap::run_finished() noexcept {
  if (state_ == State::kRunning) state_ = State::kOpen;
  run_ = nullptr;
  weigh();
}

void VmWrap::shut() noexcept {
  if (state_ == State::kClosed) return;
  stop();
  state_ = State::kClosed;
  machine_.reset();
  crew_.reset();
  addon_.closed(*this);
}

void VmWrap::stop() noexcept {
  if (run_) run_->cancel();
}

Napi::Value VmWrap::run_sync(const Napi::CallbackInfo& info) {
  Batch batch = begin(RunBlocks(info));
  batch.apply();
  weigh();
  if (const auto error = batch.refusal_if(false)) throw to_js(Env(), *error);
  return to_js(Env(), std::uint64_t{batch.result.applied});
}

Napi::Value VmWrap::run(const Napi::CallbackInfo& info) {
  return RunWork::start(*this, info);
}

Napi::Value VmWrap::abort(const Napi::CallbackInfo&) {
  stop();
  return {};
}

Napi::Value VmWrap::applied(const Napi::CallbackInfo&) {
  return to_js(Env(), control_->applied.load());
}

Napi::Value VmWrap::step(const Napi::CallbackInfo& info) {
  const Event row = event(info);
  return to_js(Env(), take(Env(), machine().step(row)));
}

Napi::Value VmWrap::set_memslot(const Napi::CallbackInfo& info) {
  const MemslotRegion region = memslot_region(info[0]);
  return to_js(Env(), take(Env(), machine().set_memslot(region)));
}

Napi::Value VmWrap::set_mmu_pages(const Napi::CallbackInfo& info) {
  const auto pages = integer<std::uint64_t>(info[0], "pages");
  return to_js(Env(), take(Env(), machine().set_mmu_pages(pages)));
}

Napi::Value VmWrap::set_trace(const Napi::CallbackInfo& info) {
  std::optional<TraceRelease> release;
  if (!info[0].IsUndefined()) {
    release =
        static_cast<TraceRelease>(index_of(info[0], "release", kReleaseNames));
  }
  if (const auto error = machine().set_trace(release)) {
    throw to_js(Env(), *error);
  }
  return {};
}

Napi::Value VmWrap::take_trace(const Napi::CallbackInfo&) {
  return to_js(Env(), std::string_view(machine().take_trace()));
}

Napi::Value VmWrap::closed(const Napi::CallbackInfo&) {
  return Napi::Boolean::New(Env(), is_closed());
}

Napi::Value VmWrap::close(const Napi::CallbackInfo&) {
  shut();
  weigh();
  return {};
}

}  // namespace mmu::binding
