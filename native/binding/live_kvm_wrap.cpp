#include "binding/live_kvm_wrap.hpp"

#include <cerrno>
#include <optional>
#include <utility>

#include "binding/arguments.hpp"
#include "binding/arrays.hpp"
#include "binding/errors.hpp"
#include "binding/exports.hpp"
#include "binding/live_kvm_values.hpp"
#include "binding/values.hpp"

namespace mmu::binding {
namespace {

constexpr std::size_t kMaxPathBytes = 4096;  // PATH_MAX of Linux
constexpr std::size_t kMaxNameBytesOfStatistic = 256;
constexpr unsigned kProtections = 3;

unsigned vcpu_of(const Napi::CallbackInfo& info) {
  return integer<std::uint16_t>(info[0], "vcpu");
}

kvm::Protection protection_of(Napi::Value value) {
  const auto number = integer<std::uint8_t>(value, "protection");
  if (number < kProtections) return static_cast<kvm::Protection>(number);
  throw to_js(value.Env(),
              refusal(ErrorCode::kConfig, "protection must be 0, 1 or 2"));
}

}  // namespace

Napi::Function LiveKvmWrap::define(Napi::Env env) {
  using W = LiveKvmWrap;
  return DefineClass(env, kClassName,
                     {method_of<W, &W::extension>("extension"),
                      method_of<W, &W::create_vm>("createVm"),
                      method_of<W, &W::create_vcpu>("createVcpu"),
                      method_of<W, &W::enable_cap>("enableCap"),
                      method_of<W, &W::set_memslot>("setMemslot"),
                      method_of<W, &W::create_memfd>("createGuestMemfd"),
                      method_of<W, &W::set_mmu_pages>("setMmuPages"),
                      method_of<W, &W::dirty_log>("dirtyLog"),
                      method_of<W, &W::clear_dirty_log>("clearDirtyLog"),
                      method_of<W, &W::collect_ring>("collectRing"),
                      method_of<W, &W::reset_rings>("resetRings"),
                      method_of<W, &W::set_msr>("setMsr"),
                      method_of<W, &W::set_cpuid>("setCpuid"),
                      method_of<W, &W::registers>("registers"),
                      method_of<W, &W::set_registers>("setRegisters"),
                      method_of<W, &W::set_rflags>("setRflags"),
                      method_of<W, &W::translate>("translate"),
                      method_of<W, &W::prefault>("prefault"),
                      method_of<W, &W::statistic>("statistic"),
                      method_of<W, &W::read_memory>("readMemory"),
                      method_of<W, &W::write_memory>("writeMemory"),
                      method_of<W, &W::protect>("protect"),
                      method_of<W, &W::unprotect>("unprotect"),
                      method_of<W, &W::close>("close")});
}

LiveKvmWrap::LiveKvmWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  kvm_ = answer(info.Env(), [&] {
    return take(info.Env(),
                kvm::LiveKvm::open(text(info[0], "path", kMaxPathBytes)));
  });
  info.This().As<Napi::Object>().TypeTag(&kTag);
}

kvm::LiveKvm& LiveKvmWrap::kvm() {
  if (kvm_) return *kvm_;
  throw to_js(Env(), refusal(ErrorCode::kClosed, {}));
}

Napi::Value LiveKvmWrap::extension(const Napi::CallbackInfo& info) {
  const auto capability = integer<std::uint32_t>(info[0], "capability");
  return Napi::Number::New(Env(), kvm().extension(capability));
}

Napi::Value LiveKvmWrap::create_vm(const Napi::CallbackInfo& info) {
  const auto type = integer<std::uint32_t>(info[0], "type");
  return outcome_of(Env(), kvm().create_vm(type));
}

Napi::Value LiveKvmWrap::create_vcpu(const Napi::CallbackInfo& info) {
  const auto id = integer<std::uint32_t>(info[0], "id");
  return outcome_of(Env(), kvm().create_vcpu(id));
}

Napi::Value LiveKvmWrap::enable_cap(const Napi::CallbackInfo& info) {
  const auto capability = integer<std::uint32_t>(info[0], "capability");
  const auto flags = integer<std::uint32_t>(info[1], "flags");
  const std::uint64_t arg0 = u64(info[2], "arg0");
  return outcome_of(Env(), kvm().enable_cap(capability, flags, arg0));
}

Napi::Value LiveKvmWrap::set_memslot(const Napi::CallbackInfo& info) {
  const kvm::Region region = live_region(info[0]);
  return outcome_of(Env(), kvm().set_region(region));
}

Napi::Value LiveKvmWrap::create_memfd(const Napi::CallbackInfo& info) {
  const std::uint64_t bytes = u64(info[0], "bytes");
  const std::uint64_t flags = u64(info[1], "flags");
  return outcome_of(Env(), kvm().create_memfd(bytes, flags));
}

Napi::Value LiveKvmWrap::set_mmu_pages(const Napi::CallbackInfo& info) {
  const std::uint64_t pages = u64(info[0], "pages");
  return outcome_of(Env(), kvm().set_mmu_pages(pages));
}

Napi::Value LiveKvmWrap::dirty_log(const Napi::CallbackInfo& info) {
  const auto slot = integer<std::uint32_t>(info[0], "slot");
  const bool is_null = boolean(info[1], "isNull");
  std::vector<std::uint8_t> bits;
  const kvm::Errno error = kvm().dirty_log(slot, is_null, bits);
  return answer_of(Env(), error,
                   to_js(Env(), std::span<const std::uint8_t>(bits)));
}

Napi::Value LiveKvmWrap::clear_dirty_log(const Napi::CallbackInfo& info) {
  const auto slot = integer<std::uint32_t>(info[0], "slot");
  const std::uint64_t first = u64(info[1], "firstPage");
  const auto pages = integer<std::uint32_t>(info[2], "pages");
  const auto fill = integer<std::uint8_t>(info[4], "fill");
  std::optional<kvm::Bitmap> bitmap;
  if (!info[3].IsUndefined()) {
    bitmap = kvm::Bitmap{.prefix = bytes(info[3], "prefix"), .fill = fill};
  }
  return outcome_of(Env(), kvm().clear_dirty_log(slot, first, pages, bitmap));
}

Napi::Value LiveKvmWrap::collect_ring(const Napi::CallbackInfo& info) {
  const unsigned vcpu = vcpu_of(info);
  const auto most = integer<std::uint32_t>(info[1], "most");
  std::vector<kvm::RingEntry> all;
  const kvm::Errno error = kvm().collect_ring(vcpu, most, all);
  return answer_of(
      Env(), error,
      column_of<std::uint32_t>(Env(), all, napi_uint32_array,
                               [](const auto& entry) { return entry.slot; }),
      column_of<double>(Env(), all, napi_float64_array, [](const auto& entry) {
        return static_cast<double>(entry.page);
      }));
}

Napi::Value LiveKvmWrap::reset_rings(const Napi::CallbackInfo&) {
  std::uint32_t entries = 0;
  const kvm::Errno error = kvm().reset_rings(entries);
  return answer_of(Env(), error, to_js(Env(), std::uint64_t{entries}));
}

Napi::Value LiveKvmWrap::set_msr(const Napi::CallbackInfo& info) {
  const unsigned vcpu = vcpu_of(info);
  const auto msr = integer<std::uint32_t>(info[1], "msr");
  const std::uint64_t value = u64(info[2], "value");
  return outcome_of(Env(), kvm().set_msr(vcpu, msr, value));
}

Napi::Value LiveKvmWrap::set_cpuid(const Napi::CallbackInfo& info) {
  const unsigned vcpu = vcpu_of(info);
  const std::vector<kvm::CpuidEntry> entries = cpuid_entries(info[1]);
  return outcome_of(Env(), kvm().set_cpuid(vcpu, entries));
}

Napi::Value LiveKvmWrap::registers(const Napi::CallbackInfo& info) {
  kvm::Registers registers{};
  const kvm::Errno error = kvm().registers(vcpu_of(info), registers);
  return answer_of(Env(), error, to_js(Env(), registers));
}

Napi::Value LiveKvmWrap::set_registers(const Napi::CallbackInfo& info) {
  const unsigned vcpu = vcpu_of(info);
  const kvm::Registers registers = live_registers(info[1]);
  return outcome_of(Env(), kvm().set_registers(vcpu, registers));
}

Napi::Value LiveKvmWrap::set_rflags(const Napi::CallbackInfo& info) {
  const unsigned vcpu = vcpu_of(info);
  const std::uint64_t rflags = u64(info[1], "rflags");
  return outcome_of(Env(), kvm().set_rflags(vcpu, rflags));
}

Napi::Value LiveKvmWrap::translate(const Napi::CallbackInfo& info) {
  const unsigned vcpu = vcpu_of(info);
  const std::uint64_t gva = u64(info[1], "gva");
  kvm::Translation translation{};
  const kvm::Errno error = kvm().translate(vcpu, gva, translation);
  return answer_of(Env(), error,
                   Napi::Boolean::New(Env(), translation.is_valid),
                   Napi::BigInt::New(Env(), translation.address));
}

Napi::Value LiveKvmWrap::prefault(const Napi::CallbackInfo& info) {
  const unsigned vcpu = vcpu_of(info);
  const std::uint64_t gpa = u64(info[1], "gpa");
  const std::uint64_t bytes = u64(info[2], "bytes");
  const std::uint64_t flags = u64(info[3], "flags");
  return outcome_of(Env(), kvm().prefault(vcpu, gpa, bytes, flags));
}

Napi::Value LiveKvmWrap::statistic(const Napi::CallbackInfo& info) {
  const std::string name = text(info[0], "name", kMaxNameBytesOfStatistic);
  const std::optional<std::uint64_t> value = kvm().statistic(name);
  return value ? Napi::Value(to_js(Env(), *value)) : Env().Undefined();
}

Napi::Value LiveKvmWrap::read_memory(const Napi::CallbackInfo& info) {
  const std::uint64_t hva = u64(info[0], "hva");
  const auto length = integer<std::uint32_t>(info[1], "bytes");
  kvm::LiveKvm& asked = kvm();
  const bool is_too_long = length > kvm::kMemoryBytes;
  std::vector<std::uint8_t> read(is_too_long ? 0 : length);
  const kvm::Errno error = is_too_long ? EFAULT : asked.read_memory(hva, read);
  return answer_of(Env(), error,
                   to_js(Env(), std::span<const std::uint8_t>(read)));
}

Napi::Value LiveKvmWrap::write_memory(const Napi::CallbackInfo& info) {
  const std::uint64_t hva = u64(info[0], "hva");
  return outcome_of(Env(), kvm().write_memory(hva, bytes(info[1], "bytes")));
}

Napi::Value LiveKvmWrap::protect(const Napi::CallbackInfo& info) {
  const std::uint64_t hva = u64(info[0], "hva");
  const std::uint64_t length = u64(info[1], "bytes");
  const kvm::Protection protection = protection_of(info[2]);
  return outcome_of(Env(), kvm().protect(hva, length, protection));
}

Napi::Value LiveKvmWrap::unprotect(const Napi::CallbackInfo&) {
  return outcome_of(Env(), kvm().unprotect());
}

Napi::Value LiveKvmWrap::close(const Napi::CallbackInfo&) {
  kvm_.reset();
  return {};
}

}  // namespace mmu::binding
