#include "binding/explorer_wrap.hpp"

#include "binding/arguments.hpp"
#include "binding/arrays.hpp"
#include "binding/choices.hpp"
#include "binding/errors.hpp"
#include "binding/exports.hpp"
#include "binding/values.hpp"
#include "binding/vm_config.hpp"
#include "core/event.hpp"

namespace mmu::binding {
namespace {

constexpr std::array<std::string_view, 3> kStepNames{"event", "memslot",
                                                     "mtrr"};
constexpr std::array<std::string_view, 3> kSymmetryNames{"none", "first",
                                                         "second"};
constexpr std::array<std::string_view, 3> kEndNames{"not-yet", "complete",
                                                    "too-many-states"};
// A bound on what one argument may make us allocate.
constexpr std::uint32_t kMostSteps = 4096;

// Calls add(value) for every element.
template <class Add>
void each(Napi::Value value, std::string_view name, std::uint32_t most,
          Add add) {
  if (!value.IsArray() || value.As<Napi::Array>().Length() > most) {
    throw wrong_type(value.Env(), std::string(name) +
                                      " must be an array of at most " +
                                      std::to_string(most));
  }
  const auto from = value.As<Napi::Array>();
  for (std::uint32_t i = 0; i < from.Length(); ++i) add(from.Get(i));
}

Event event_of(const Napi::Object& from) {
  return {
      .kind = static_cast<EventKind>(
          integer<std::uint8_t>(from.Get("kind"), "step.kind")),
      .access = integer<std::uint8_t>(from.Get("access"), "step.access"),
      .vcpu = integer<std::uint16_t>(from.Get("vcpu"), "step.vcpu"),
      .gpa = integer<std::uint64_t>(from.Get("gpa"), "step.gpa"),
      .bytes = integer<std::uint64_t>(from.Get("bytes"), "step.bytes"),
  };
}

check::Step step_of(Napi::Value value) {
  const Napi::Object from = object(value, "step");
  switch (index_of(from.Get("is"), "step.is", kStepNames)) {
    case 0:
      return event_of(from);
    case 1:
      return memslot_region(from.Get("region"));
    default:
      return check::MtrrWrite{
          integer<std::uint32_t>(from.Get("msr"), "step.msr"),
          u64(from.Get("value"), "step.value")};
  }
}

std::vector<check::Step> steps_of(Napi::Value value, std::string_view name) {
  std::vector<check::Step> steps;
  each(value, name, kMostSteps,
       [&](Napi::Value step) { steps.push_back(step_of(step)); });
  return steps;
}

check::World world_of(Napi::Value config, Napi::Value value) {
  const Napi::Object from = object(value, "world");
  check::World world{.config = vm_config(config),
                     .setup = steps_of(from.Get("setup"), "world.setup"),
                     .operations = {}};
  each(from.Get("operations"), "world.operations", check::kMostOperations,
       [&](Napi::Value operation) {
         const Napi::Object one = object(operation, "operation");
         world.operations.push_back(
             {steps_of(one.Get("steps"), "operation.steps"),
              static_cast<check::Symmetry>(index_of(
                  one.Get("symmetry"), "operation.symmetry", kSymmetryNames))});
       });
  return world;
}

Napi::Object to_js(Napi::Env env, const check::Found& found) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("rule", binding::to_js(env, found.rule));
  made.Set("defect", binding::to_js(env, found.defect));
  made.Set("reason", binding::to_js(env, found.reason));
  made.Set("gpa", binding::to_js(env, found.gpa));
  const std::vector<std::uint64_t> path(found.path.begin(), found.path.end());
  made.Set("path", numbers(env, path));
  return made;
}

}  // namespace

Napi::Function ExplorerWrap::define(Napi::Env env) {
  return DefineClass(
      env, kClassName,
      {method_of<ExplorerWrap, &ExplorerWrap::advance>("advance"),
       method_of<ExplorerWrap, &ExplorerWrap::found>("found"),
       method_of<ExplorerWrap, &ExplorerWrap::save>("save"),
       method_of<ExplorerWrap, &ExplorerWrap::restore>("restore")});
}

ExplorerWrap::ExplorerWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  explorer_ = answer(info.Env(), [&] {
    const Napi::Object bound = object(info[2], "bound");
    const check::Bound limits{
        .operations =
            integer<std::uint8_t>(bound.Get("operations"), "bound.operations"),
        .states = integer<std::uint32_t>(bound.Get("states"), "bound.states"),
        .audits_all = boolean(bound.Get("auditsAll"), "bound.auditsAll")};
    return take(info.Env(),
                check::Explorer::begin(world_of(info[0], info[1]), limits));
  });
  info.This().As<Napi::Object>().TypeTag(&kTag);
}

Napi::Value ExplorerWrap::advance(const Napi::CallbackInfo& info) {
  const auto transitions = integer<std::uint32_t>(info[0], "transitions");
  if (auto error = explorer_->advance(transitions)) {
    throw binding::to_js(Env(), *error);
  }
  const check::Exploration& so_far = explorer_->so_far();
  Napi::Object made = Napi::Object::New(Env());
  made.Set("states", binding::to_js(Env(), so_far.states));
  made.Set("transitions", binding::to_js(Env(), so_far.transitions));
  made.Set("spared", binding::to_js(Env(), so_far.spared));
  made.Set("covered", binding::to_js(Env(), std::uint64_t{so_far.covered}));
  made.Set("end",
           binding::to_js(Env(), kEndNames[static_cast<unsigned>(so_far.end)]));
  return made;
}

Napi::Value ExplorerWrap::save(const Napi::CallbackInfo&) {
  const std::vector<std::uint64_t> words = explorer_->save();
  return column_of<std::uint64_t>(Env(), words, napi_biguint64_array,
                                  [](std::uint64_t word) { return word; });
}

Napi::Value ExplorerWrap::restore(const Napi::CallbackInfo& info) {
  if (auto error = explorer_->restore(words(info[0], "words"))) {
    throw binding::to_js(Env(), *error);
  }
  return Env().Undefined();
}

Napi::Value ExplorerWrap::found(const Napi::CallbackInfo&) {
  const std::vector<check::Found>& all = explorer_->so_far().found;
  Napi::Array made = Napi::Array::New(Env(), all.size());
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    made.Set(i, to_js(Env(), all[i]));
  }
  return made;
}

}  // namespace mmu::binding
