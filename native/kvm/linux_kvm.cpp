// The device itself: opens it, makes VMs in it one after the other, and hands
// on what they are asked.
#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "kvm/ask.hpp"
#include "kvm/descriptor.hpp"
#include "kvm/live_kvm.hpp"
#include "kvm/live_vm.hpp"
#include "kvm/slot_memory.hpp"
#include "kvm/uapi.hpp"

#ifdef MMU_HAS_KVM

namespace mmu::kvm {
namespace {

Error unsupported(const std::string& path, const std::string& why) {
  return {.code = ErrorCode::kUnsupported, .detail = path + ": " + why};
}

std::string why_not_opened(int error) {
  switch (error) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return "this machine has no KVM";
    case EACCES:
    case EPERM:
      return "no permission to open it";
    default:
      return std::string("cannot be opened: ") + std::strerror(error);
  }
}

class LinuxKvm final : public LiveKvm {
 public:
  LinuxKvm(Descriptor device, Descriptor other_file, SlotMemory memory)
      : device_(std::move(device)),
        other_file_(std::move(other_file)),
        memory_(std::move(memory)) {}

  int extension(std::uint32_t capability) override {
    const int file = vm_ ? vm_->file() : device_.get();
    const int value = ask_for(file, KVM_CHECK_EXTENSION,
                              static_cast<unsigned long>(capability));
    return value < 0 ? 0 : value;
  }

  Errno create_vm(std::uint64_t type) override {
    Descriptor file(ask_for(device_.get(), KVM_CREATE_VM,
                            static_cast<unsigned long>(type)));
    if (!file) return errno;
    vm_.reset();
    if (const Errno error = memory_.renew()) return error;
    vm_.emplace(std::move(file), other_file_.get());
    return 0;
  }

  Errno create_vcpu(std::uint32_t id) override {
    return vm_ ? vm_->create_vcpu(id) : EBADF;
  }
  Errno enable_cap(std::uint32_t capability, std::uint32_t flags,
                   std::uint64_t arg0) override {
    return vm_ ? vm_->enable_cap(capability, flags, arg0) : EBADF;
  }
  Errno set_region(const Region& region) override {
    return vm_ ? vm_->set_region(region) : EBADF;
  }
  Errno create_memfd(std::uint64_t bytes, std::uint64_t flags) override {
    return vm_ ? vm_->create_memfd(bytes, flags) : EBADF;
  }
  Errno set_mmu_pages(std::uint64_t pages) override {
    return vm_ ? ask(vm_->file(), KVM_SET_NR_MMU_PAGES, pages) : EBADF;
  }
  Errno dirty_log(std::uint32_t slot, bool is_null,
                  std::vector<std::uint8_t>& bits) override {
    return vm_ ? vm_->dirty_log(slot, is_null, bits) : EBADF;
  }
  Errno clear_dirty_log(std::uint32_t slot, std::uint64_t first_page,
                        std::uint32_t pages,
                        const std::optional<Bitmap>& bitmap) override {
    return vm_ ? vm_->clear_dirty_log(slot, first_page, pages, bitmap) : EBADF;
  }
  Errno reset_rings(std::uint32_t& entries) override {
    return vm_ ? vm_->reset_rings(entries) : EBADF;
  }

  Errno collect_ring(unsigned number, std::uint32_t most,
                     std::vector<RingEntry>& entries) override {
    LiveVcpu* const one = vcpu(number);
    return one ? one->collect(most, entries) : EBADF;
  }
  Errno set_msr(unsigned number, std::uint32_t msr,
                std::uint64_t value) override {
    LiveVcpu* const one = vcpu(number);
    return one ? one->set_msr(msr, value) : EBADF;
  }
  Errno set_cpuid(unsigned number, std::span<const CpuidEntry> all) override {
    LiveVcpu* const one = vcpu(number);
    return one ? one->set_cpuid(all) : EBADF;
  }
  Errno registers(unsigned number, Registers& registers) override {
    const LiveVcpu* const one = vcpu(number);
    return one ? one->registers(registers) : EBADF;
  }
  Errno set_registers(unsigned number, const Registers& registers) override {
    LiveVcpu* const one = vcpu(number);
    return one ? one->set_registers(registers) : EBADF;
  }
  Errno set_rflags(unsigned number, std::uint64_t rflags) override {
    LiveVcpu* const one = vcpu(number);
    return one ? one->set_rflags(rflags) : EBADF;
  }
  Errno translate(unsigned number, std::uint64_t gva,
                  Translation& translation) override {
    const LiveVcpu* const one = vcpu(number);
    return one ? one->translate(gva, translation) : EBADF;
  }
  Errno prefault(unsigned number, std::uint64_t gpa, std::uint64_t bytes,
                 std::uint64_t flags) override {
    LiveVcpu* const one = vcpu(number);
    return one ? one->prefault(gpa, bytes, flags) : EBADF;
  }

  std::optional<std::uint64_t> statistic(const std::string& name) override {
    return vm_ ? vm_->statistic(name) : std::nullopt;
  }

  Errno read_memory(std::uint64_t hva, std::span<std::uint8_t> to) override {
    return memory_.read(hva, to);
  }
  Errno write_memory(std::uint64_t hva,
                     std::span<const std::uint8_t> from) override {
    return memory_.write(hva, from);
  }
  Errno protect(std::uint64_t hva, std::uint64_t bytes,
                Protection protection) override {
    return memory_.protect(hva, bytes, protection);
  }
  Errno unprotect() override { return memory_.unprotect(); }

 private:
  LiveVcpu* vcpu(unsigned number) { return vm_ ? vm_->vcpu(number) : nullptr; }

  Descriptor device_;
  Descriptor other_file_;
  // Outlives the VM that shows it.
  SlotMemory memory_;
  std::optional<LiveVm> vm_;
};

}  // namespace

Result<std::unique_ptr<LiveKvm>> LiveKvm::open(const std::string& path) {
  Descriptor device(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!device) return unsupported(path, why_not_opened(errno));
  if (ask_for(device.get(), KVM_GET_API_VERSION, 0UL) != KVM_API_VERSION) {
    return unsupported(path, "it is not KVM's device");
  }
  Descriptor other_file(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!other_file) return unsupported("/dev/null", why_not_opened(errno));
  Result<SlotMemory> memory = SlotMemory::map();
  if (!memory) return memory.error();
  return std::unique_ptr<LiveKvm>(new LinuxKvm(
      std::move(device), std::move(other_file), std::move(memory.value())));
}

}  // namespace mmu::kvm

#endif
