// The JavaScript object of the machine's own KVM.
#pragma once

#include <memory>

#include "binding/napi.hpp"
#include "kvm/live_kvm.hpp"

namespace mmu::binding {

class LiveKvmWrap : public Napi::ObjectWrap<LiveKvmWrap> {
 public:
  static constexpr const char* kClassName = "LiveKvm";
  static constexpr napi_type_tag kTag{0x5be7c41d90a2f386, 0x0f6ad8b3e2c97541};

  static Napi::Function define(Napi::Env env);

  // The device's path.
  explicit LiveKvmWrap(const Napi::CallbackInfo& info);

 private:
  // Throws ERR_CLOSED after close().
  kvm::LiveKvm& kvm();

  Napi::Value extension(const Napi::CallbackInfo& info);
  Napi::Value create_vm(const Napi::CallbackInfo& info);
  Napi::Value create_vcpu(const Napi::CallbackInfo& info);
  Napi::Value enable_cap(const Napi::CallbackInfo& info);
  Napi::Value set_memslot(const Napi::CallbackInfo& info);
  Napi::Value create_memfd(const Napi::CallbackInfo& info);
  Napi::Value set_mmu_pages(const Napi::CallbackInfo& info);
  Napi::Value dirty_log(const Napi::CallbackInfo& info);
  Napi::Value clear_dirty_log(const Napi::CallbackInfo& info);
  Napi::Value collect_ring(const Napi::CallbackInfo& info);
  Napi::Value reset_rings(const Napi::CallbackInfo& info);
  Napi::Value set_msr(const Napi::CallbackInfo& info);
  Napi::Value set_cpuid(const Napi::CallbackInfo& info);
  Napi::Value registers(const Napi::CallbackInfo& info);
  Napi::Value set_registers(const Napi::CallbackInfo& info);
  Napi::Value set_rflags(const Napi::CallbackInfo& info);
  Napi::Value translate(const Napi::CallbackInfo& info);
  Napi::Value prefault(const Napi::CallbackInfo& info);
  Napi::Value statistic(const Napi::CallbackInfo& info);
  Napi::Value read_memory(const Napi::CallbackInfo& info);
  Napi::Value write_memory(const Napi::CallbackInfo& info);
  Napi::Value protect(const Napi::CallbackInfo& info);
  Napi::Value unprotect(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::unique_ptr<kvm::LiveKvm> kvm_;
};

}  // namespace mmu::binding
