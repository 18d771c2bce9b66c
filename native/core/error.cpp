#include "core/error.hpp"

#include <charconv>

namespace mmu {
namespace {

// In the order of ErrorCode. Rows of memslots follow the order in which KVM
// checks; KVM: kvm_set_memory_region(), kvm_arch_prepare_memory_region()
// (v6.16).
constexpr ErrorInfo kTable[] = {
    {"ERR_CONFIG", "", "{detail}"},
    {"ERR_UNKNOWN_STRATEGY", "", "no alias strategy is called '{detail}'"},
    {"ERR_UNSUPPORTED", "EOPNOTSUPP", "{detail}"},
    {"ERR_MEMSLOT_ID", "EINVAL",
     "memslot id {id:d} is above the last user id {max:d}"},
    {"ERR_MEMSLOT_FLAGS", "EINVAL",
     "memslot flags {flags} have bits outside the allowed {allowed}"},
    {"ERR_MEMSLOT_SIZE", "EINVAL",
     "memslot size {bytes} is not a multiple of 0x1000"},
    {"ERR_MEMSLOT_GPA", "EINVAL",
     "memslot gpa {gpa} is not a multiple of 0x1000"},
    {"ERR_MEMSLOT_HVA", "EINVAL",
     "memslot hva [{hva}, {end}) is not page-aligned user memory below "
     "{limit}"},
    {"ERR_MEMSLOT_ADDRESS_SPACE", "EINVAL",
     "address space {as:d} does not exist, there are {count:d}"},
    {"ERR_MEMSLOT_WRAPS", "EINVAL",
     "memslot [{gpa}, +{bytes}) wraps around the 64-bit space"},
    {"ERR_MEMSLOT_TOO_LARGE", "EINVAL",
     "memslot of {pages} pages is above the limit of {max} pages"},
    {"ERR_MEMSLOT_MISSING", "EINVAL",
     "memslot {id:d} of address space {as:d} does not exist"},
    {"ERR_MEMSLOT_IMMUTABLE", "EINVAL",
     "memslot {id:d} exists: its hva, size, read-only flag and guest_memfd "
     "cannot change"},
    {"ERR_MEMSLOT_OVERLAP", "EEXIST",
     "memslot [{start}, {end}) overlaps slot {id:d} [{otherStart}, "
     "{otherEnd})"},
    {"ERR_MEMSLOT_BEYOND_MAX", "EINVAL",
     "memslot [{start}, {end}) ends above the highest mappable gpa {max}"},
    {"ERR_MEMSLOT_ALIASED", "EINVAL",
     "memslot's page {gpa} carries an alias bit"},
    {"ERR_MEMSLOT_BACKING", "EINVAL",
     "memslot cannot be backed by 1 GiB pages: alias bit {bit:d} is not above "
     "{limit:d}"},
    {"ERR_MEMSLOT_BAD_FD", "EBADF",
     "the memslot's file is not open: the VM has made {count:d} guest_memfds"},
    {"ERR_MEMSLOT_MEMFD", "EINVAL", "{detail}"},
    {"ERR_GUEST_MEMFD", "EINVAL", "{detail}"},
    {"ERR_HOST_MAPPING", "", "{detail}"},
    {"ERR_NO_DIRTY_LOG", "ENOENT",
     "memslot {id:d} of address space {as:d} has no dirty log"},
    {"ERR_DIRTY_LOG", "EINVAL", "{detail}"},
    {"ERR_DIRTY_RING", "ENXIO",
     "dirty pages of this VM are in rings, not in bitmaps"},
    {"ERR_NO_DIRTY_RING", "EINVAL", "this VM has no dirty rings"},
    {"ERR_COPY", "EFAULT", "{detail}"},
    {"ERR_CAPABILITY", "EINVAL", "{detail}"},
    {"ERR_RING_TOO_LARGE", "E2BIG",
     "a dirty ring of {bytes} bytes is above the limit of {max} bytes"},
    {"ERR_VCPU", "EINVAL", "{detail}"},
    {"ERR_VCPU_EXISTS", "EEXIST", "vCPU {id:d} exists"},
    {"ERR_MMU_PAGES", "EINVAL",
     "expected a limit of {min:d} shadow pages or more, got {pages:d}"},
    {"ERR_MTRR", "",
     "{value} is no value of MTRR {msr}: no such register, a reserved type or "
     "a reserved bit"},
    {"ERR_REGISTERS", "EINVAL", "{detail}"},
    {"ERR_GUEST_MEMORY", "EFAULT", "{detail}"},
    {"ERR_EVENT", "", "event {row:d}: {detail}"},
    {"ERR_BATCH", "", "{detail}"},
    {"ERR_CLOSED", "", "the VM is closed"},
    {"ERR_BUSY", "", "{detail}"},
    {"ERR_ABORTED", "", "aborted after {applied:d} events"},
    {"ERR_OUT_OF_MEMORY", "ENOMEM", "out of memory: {detail}"},
    {"ERR_TRACE", "", "{detail}"},
    {"ERR_IO", "", "{detail}"},
    {"ERR_INTERNAL", "", "broken invariant: {detail}"},
};
static_assert(std::size(kTable) == static_cast<std::size_t>(ErrorCode::kCount));

std::string replacement(const Error& error, std::string_view field) {
  if (field == "detail") return error.detail;
  const bool decimal = field.ends_with(":d");
  if (decimal) field.remove_suffix(2);
  for (const ErrorValue& value : error.values) {
    if (value.key == field) return number(value.value, decimal ? 10 : 16);
  }
  return "?";
}

}  // namespace

std::string number(std::uint64_t value, int base) {
  char digits[24];
  const auto end =
      std::to_chars(digits, digits + sizeof digits, value, base).ptr;
  return (base == 16 ? "0x" : "") + std::string(digits, end);
}

const ErrorInfo& info(ErrorCode code) noexcept {
  return kTable[static_cast<std::size_t>(code)];
}

std::string Error::message() const {
  std::string text;
  std::string_view rest = info(code).sentence;
  while (true) {
    const std::size_t open = rest.find('{');
    text += rest.substr(0, open);
    if (open == std::string_view::npos) return text;
    const std::size_t close = rest.find('}', open);
    text += replacement(*this, rest.substr(open + 1, close - open - 1));
    rest.remove_prefix(close + 1);
  }
}

}  // namespace mmu
