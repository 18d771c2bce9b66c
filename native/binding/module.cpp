// What require() returns: the members of NativeAddon in lib/native.
#include "binding/addon_data.hpp"
#include "binding/catalogue.hpp"
#include "binding/decoder_wrap.hpp"
#include "binding/explorer_wrap.hpp"
#include "binding/exports.hpp"
#include "binding/live_kvm_wrap.hpp"
#include "binding/mapped_file_wrap.hpp"
#include "binding/napi.hpp"
#include "binding/observer_wrap.hpp"
#include "binding/trial_wrap.hpp"
#include "binding/vm_wrap.hpp"

namespace mmu::binding {
namespace {

template <Callback callback>
void add(Napi::Object exports, const char* name) {
  napi_property_descriptor descriptor{};
  descriptor.utf8name = name;
  descriptor.method = call<callback>;
  descriptor.attributes = napi_default_jsproperty;
  exports.DefineProperty(descriptor);
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  AddonData::attach(env);
  add<layout>(exports, "layout");
  add<errors>(exports, "errors");
  add<strategies>(exports, "strategies");
  add<preset>(exports, "preset");
  add<applicability>(exports, "applicability");
  add<rules>(exports, "rules");
  add<formats>(exports, "formats");
  add<detect_format>(exports, "detectFormat");
  add<observed_events>(exports, "observedEvents");
  add<build>(exports, "build");
  add<trials>(exports, "trials");
  exports.Set("Vm", VmWrap::define(env));
  exports.Set("Decoder", DecoderWrap::define(env));
  exports.Set("Explorer", ExplorerWrap::define(env));
  exports.Set("LiveKvm", LiveKvmWrap::define(env));
  exports.Set("MappedFile", MappedFileWrap::define(env));
  exports.Set("Observer", ObserverWrap::define(env));
  exports.Set("Trial", TrialWrap::define(env));
  return exports;
}

NODE_API_MODULE(gpalias, init)

}  // namespace
}  // namespace mmu::binding
