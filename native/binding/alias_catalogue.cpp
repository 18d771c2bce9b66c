#include "binding/arguments.hpp"
#include "binding/arrays.hpp"
#include "binding/catalogue.hpp"
#include "binding/choices.hpp"
#include "binding/errors.hpp"
#include "binding/values.hpp"
#include "binding/vm_config.hpp"
#include "core/machine.hpp"

namespace mmu::binding {
namespace {

using Names = std::vector<std::string_view>;

Names flavours(bool tdp, bool rmap) {
  Names names;
  if (tdp) names.push_back(kFlavourNames[0]);
  if (rmap) names.push_back(kFlavourNames[1]);
  return names;
}

Names presets(const StrategyView& strategy) {
  Names names;
  if (strategy.attribute) names.push_back("attribute");
  if (strategy.private_shared) names.push_back("private-shared");
  return names;
}

Napi::Object defect_object(Napi::Env env, const DefectView& defect) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("id", to_js(env, defect.id));
  made.Set("flavours", to_js(env, flavours(defect.tdp, defect.rmap)));
  return made;
}

Napi::Object strategy_object(Napi::Env env, const StrategyView& strategy) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("name", to_js(env, strategy.name));
  made.Set("summary", to_js(env, strategy.summary));
  made.Set("flavours", to_js(env, flavours(strategy.tdp, strategy.rmap)));
  made.Set("presets", to_js(env, presets(strategy)));
  made.Set("defects", array_of(env, strategy.defects, defect_object));
  return made;
}

std::string_view kind_name(RuleKind kind) {
  return kind == RuleKind::kAdvisory ? "advisory" : "violation";
}

Napi::Object rule_object(Napi::Env env, const RuleView& rule) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("id", to_js(env, rule.id));
  made.Set("kind", to_js(env, kind_name(rule.kind)));
  made.Set("sentence", to_js(env, rule.sentence));
  made.Set("reason", to_js(env, rule.reason));
  made.Set("source", to_js(env, rule.source));
  made.Set("defects", to_js(env, rule.defects));
  made.Set("needs", to_js(env, rule.needs));
  return made;
}

Napi::Object preset_object(Napi::Env env, const std::string& text,
                           const PresetView& preset) {
  const std::vector<std::uint64_t> bits(preset.bits.begin(), preset.bits.end());
  Napi::Object made = Napi::Object::New(env);
  made.Set("preset", to_js(env, text));
  made.Set("kind", to_js(env, preset.kind));
  made.Set("bits", numbers(env, bits));
  made.Set("addressBits", preset.address_bits);
  made.Set("rootLevel", preset.root_level);
  made.Set("executeOnly", preset.execute_only);
  made.Set("aliases", numbers(env, preset.aliases));
  return made;
}

}  // namespace

Napi::Value strategies(const Napi::CallbackInfo& info) {
  return array_of(info.Env(), mmu::strategies(), strategy_object);
}

Napi::Value rules(const Napi::CallbackInfo& info) {
  return array_of(info.Env(), mmu::rules(), rule_object);
}

Napi::Value preset(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string name = text(info[0], "preset", kMaxNameBytes);
  return preset_object(env, name, take(env, preset_view(name)));
}

Napi::Value applicability(const Napi::CallbackInfo& info) {
  const MachineConfig config = vm_config(info[0]);
  return to_js(info.Env(), take(info.Env(), not_applicable(config)));
}

}  // namespace mmu::binding
