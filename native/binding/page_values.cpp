// Values out: one page, entry by entry.
#include "binding/arrays.hpp"
#include "binding/values.hpp"

namespace mmu::binding {
namespace {

Napi::Object entry_object(Napi::Env env, const EntryView& entry) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("level", unsigned{entry.level});
  made.Set("gpa", to_js(env, entry.gpa));
  made.Set("spte", Napi::BigInt::New(env, entry.spte));
  made.Set("table", to_js(env, std::uint64_t{entry.table}));
  made.Set("state", to_js(env, entry.state));
  made.Set("rights", unsigned{entry.rights});
  made.Set("accessed", entry.accessed);
  made.Set("dirty", entry.dirty);
  return made;
}

Napi::Object way_object(Napi::Env env, const WayView& way) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("gpa", to_js(env, way.gpa));
  made.Set("root", unsigned{way.root});
  made.Set("entries", array_of(env, way.entries, entry_object));
  return made;
}

Napi::Object cached_object(Napi::Env env, const CachedView& cached) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("vcpu", to_js(env, std::uint64_t{cached.vcpu}));
  made.Set("gpa", to_js(env, cached.gpa));
  made.Set("pfn", to_js(env, cached.pfn));
  made.Set("level", unsigned{cached.level});
  made.Set("root", unsigned{cached.root});
  made.Set("rights", unsigned{cached.rights});
  made.Set("link", cached.is_link);
  made.Set("loadable", cached.is_loadable);
  made.Set("overdue", cached.is_overdue);
  return made;
}

}  // namespace

Napi::Object to_js(Napi::Env env, const PageView& page) {
  Napi::Object made = Napi::Object::New(env);
  made.Set("ways", array_of(env, page.ways, way_object));
  made.Set("cached", array_of(env, page.cached, cached_object));
  return made;
}

}  // namespace mmu::binding
