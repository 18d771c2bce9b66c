#include "binding/trial_wrap.hpp"

#include <algorithm>

#include "binding/arguments.hpp"
#include "binding/arrays.hpp"
#include "binding/errors.hpp"
#include "binding/exports.hpp"
#include "binding/values.hpp"

namespace mmu::binding {
namespace {

bool is_possible(const bench::Trial& trial) {
  return !trial.needs_avx512 || bench::has_avx512();
}

Napi::Object to_js(Napi::Env env, const bench::Trial& trial) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("name", trial.name);
  made.Set("what", binding::to_js(env, trial.what));
  made.Set("beside", binding::to_js(env, trial.beside));
  made.Set("unit", binding::to_js(env, trial.unit));
  made.Set("target", trial.target);
  made.Set("bytes", binding::to_js(env, trial.bytes));
  made.Set("lacks", is_possible(trial) ? "" : "AVX-512");
  return made;
}

Napi::Value nanoseconds(Napi::Env env, double seconds) {
  return Napi::Number::New(env, seconds * 1e9);
}

std::unique_ptr<bench::Sides> prepared(std::string_view name) {
  const std::vector<bench::Trial> all = bench::trials();
  const auto found = std::ranges::find(all, name, &bench::Trial::name);
  bench::expect(found != all.end() && is_possible(*found),
                "finding such a trial");
  return found->prepare();
}

}  // namespace

Napi::Value trials(const Napi::CallbackInfo& info) {
  return array_of(info.Env(), bench::trials(),
                  [](Napi::Env env, const bench::Trial& trial) {
                    return to_js(env, trial);
                  });
}

Napi::Function TrialWrap::define(Napi::Env env) {
  return DefineClass(env, kClassName,
                     {method_of<TrialWrap, &TrialWrap::events>("events"),
                      method_of<TrialWrap, &TrialWrap::engine>("engine"),
                      method_of<TrialWrap, &TrialWrap::floor>("floor"),
                      method_of<TrialWrap, &TrialWrap::holds>("holds"),
                      method_of<TrialWrap, &TrialWrap::close>("close")});
}

TrialWrap::TrialWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  sides_ = answer(info.Env(), [&] {
    return prepared(text(info[0], "name", kMaxNameBytes));
  });
  info.This().As<Napi::Object>().TypeTag(&kTag);
}

bench::Sides& TrialWrap::sides() const {
  if (sides_) return *sides_;
  throw binding::to_js(Env(), refusal(ErrorCode::kClosed, {}));
}

Napi::Value TrialWrap::events(const Napi::CallbackInfo&) {
  return binding::to_js(Env(), sides().events());
}

Napi::Value TrialWrap::engine(const Napi::CallbackInfo&) {
  return nanoseconds(Env(), sides().engine());
}

Napi::Value TrialWrap::floor(const Napi::CallbackInfo&) {
  return nanoseconds(Env(), sides().floor());
}

Napi::Value TrialWrap::holds(const Napi::CallbackInfo&) {
  return Napi::Boolean::New(Env(), sides().holds());
}

Napi::Value TrialWrap::close(const Napi::CallbackInfo&) {
  sides_.reset();
  return {};
}

}  // namespace mmu::binding
