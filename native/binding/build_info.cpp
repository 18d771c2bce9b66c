#include <string_view>
#include <thread>

#include "binding/catalogue.hpp"
#include "binding/values.hpp"
#include "core/event.hpp"
#include "core/vector_path.hpp"

namespace mmu::binding {
namespace {

#ifdef NDEBUG
constexpr bool kAssertions = false;
#else
constexpr bool kAssertions = true;
#endif

#if defined(__SANITIZE_ADDRESS__)
constexpr std::string_view kSanitizer = "address";
#elif defined(__SANITIZE_THREAD__)
constexpr std::string_view kSanitizer = "thread";
#else
constexpr std::string_view kSanitizer = "none";
#endif

#if defined(__x86_64__)
bool has_avx2() { return __builtin_cpu_supports("avx2"); }
bool has_avx512() { return __builtin_cpu_supports("avx512f"); }
#else
bool has_avx2() { return false; }
bool has_avx512() { return false; }
#endif

}  // namespace

Napi::Value build(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object made = Napi::Object::New(env);
  made.Set("compiler", __VERSION__);
  made.Set("standard", static_cast<double>(__cplusplus));
  made.Set("assertions", kAssertions);
  made.Set("sanitizer", to_js(env, kSanitizer));
  made.Set("nodeApi", NAPI_VERSION);
  made.Set("layout", kLayoutVersion);
  made.Set("hardwareThreads", std::thread::hardware_concurrency());
  made.Set("avx2", has_avx2());
  made.Set("avx512", has_avx512());
  made.Set("replayPath", to_js(env, name_of(chosen_vector_path())));
  return made;
}

}  // namespace mmu::binding
