// Values out: what flushes and aliases came to.
#include "binding/arrays.hpp"
#include "binding/values.hpp"

namespace mmu::binding {
namespace {

Napi::Object alias_object(Napi::Env env, const AliasLeaves& alias) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("offset", to_js(env, alias.offset));
  made.Set("counts", numbers(env, alias.by_level));
  return made;
}

Napi::Object violation_object(Napi::Env env, const ViolationView& violation) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("rule", to_js(env, violation.rule));
  made.Set("count", to_js(env, violation.count));
  made.Set("firstEvent", to_js(env, violation.first_event));
  made.Set("gpa", to_js(env, violation.gpa));
  made.Set("defect", to_js(env, violation.defect));
  made.Set("reason", to_js(env, violation.reason));
  return made;
}

Napi::Object finding_object(Napi::Env env, const AuditFinding& finding) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("rule", to_js(env, finding.rule));
  made.Set("defect", to_js(env, finding.defect));
  made.Set("reason", to_js(env, std::string_view(finding.reason)));
  if (!finding.place) return made;
  made.Set("gpa", to_js(env, finding.place->gpa));
  made.Set("level", to_js(env, std::uint64_t{finding.place->level}));
  made.Set("root", to_js(env, std::uint64_t{finding.place->root}));
  return made;
}

}  // namespace

Napi::Object to_js(Napi::Env env, const AuditReport& report) {
  std::uint64_t count = 0;
  for (const AuditReport::Count& of : report.counts) count += of.count;
  Napi::Object made = Napi::Object::New(env);
  made.Set("events", to_js(env, report.events));
  made.Set("count", to_js(env, count));
  made.Set("findings", array_of(env, report.findings, finding_object));
  return made;
}

Napi::Object to_js(Napi::Env env, const FlushView& flushes) {
  return to_js(env, std::vector<NamedCount>{{"none", flushes.none},
                                            {"range", flushes.range},
                                            {"full", flushes.full},
                                            {"pages", flushes.pages}});
}

Napi::Array to_js(Napi::Env env, const std::vector<ViolationView>& violations) {
  return array_of(env, violations, violation_object);
}

Napi::Array to_js(Napi::Env env, const std::vector<AliasLeaves>& aliases) {
  return array_of(env, aliases, alias_object);
}

Napi::Object to_js(Napi::Env env, const std::vector<TableView>& tables) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("gpa", column_of<double>(env, tables, napi_float64_array,
                                    [](auto& table) { return table.gpa; }));
  made.Set("level",
           column_of<std::uint8_t>(env, tables, napi_uint8_array,
                                   [](auto& table) { return table.level; }));
  made.Set("parents",
           column_of<std::uint32_t>(env, tables, napi_uint32_array,
                                    [](auto& table) { return table.parents; }));
  made.Set("root",
           column_of<std::uint8_t>(env, tables, napi_uint8_array,
                                   [](auto& table) { return table.root; }));
  return made;
}

}  // namespace mmu::binding
