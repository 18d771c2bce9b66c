#include "core/tracepoints/text_trace.hpp"

#include <cinttypes>
#include <cstdarg>
#include <cstdio>

#include "core/formats/npt_616.hpp"
#include "core/page_table.hpp"

namespace mmu {
namespace {

using tracepoint::AsyncFault;
using tracepoint::AsyncToken;
using tracepoint::DirtyRing;
using tracepoint::DirtyRingPush;
using tracepoint::FastPageFault;
using tracepoint::HugePageSplit;
using tracepoint::HvaRange;
using tracepoint::MmioChecked;
using tracepoint::MmioHandled;
using tracepoint::MmioMarked;
using tracepoint::PageFault;
using tracepoint::ShadowPage;
using tracepoint::SpteChanged;
using tracepoint::SpteRequested;
using tracepoint::SpteSet;
using tracepoint::ZapAllFast;

// Longest event text: two pages' worth of fields, each 64 bits.
constexpr std::size_t kMostText = 384;

constexpr std::uint64_t kMicroseconds = 1'000'000;

const SpteFormat& format_of(const TraceLayout& layout,
                            const MachineConfig& config) {
  const bool shadows = config.kernel == Kernel::kPvm618;
  const bool is_ept = config.host.vendor == Vendor::kIntel && !shadows;
  return is_ept ? *layout.ept : *layout.npt;
}

// R, W and X of the page's tables. KVM: KVM_MMU_PAGE_PRINTK.
const char* access_of(PageRole role) {
  constexpr unsigned kAccessShift = 8;
  constexpr const char* kNames[] = {"---", "--x", "w--", "w-x",
                                    "-u-", "-ux", "wu-", "wux"};
  return kNames[(role.word >> kAccessShift) & 7];
}

struct PageText {
  char text[kMostText];
};

PageText text_of(const ShadowPage& page) {
  const PageRole role = page.role;
  constexpr unsigned kLevelMask = 15;
  constexpr unsigned kQuadrantMask = 3;
  PageText text;
  std::snprintf(text.text, sizeof text.text,
                "sp gen %u gfn %" PRIx64
                " l%u %u-byte q%u%s %s%s %snxe %sad root %u sync",
                page.generation, page.gfn.value, role.word & kLevelMask,
                role.has(PageRole::kHas4ByteGpte) ? 4u : 8u,
                (role.word >> PageRole::kQuadrantShift) & kQuadrantMask,
                role.has(PageRole::kDirect) ? " direct" : "", access_of(role),
                role.has(PageRole::kInvalid) ? " invalid" : "",
                role.has(PageRole::kEferNx) ? "" : "!",
                role.has(PageRole::kAdDisabled) ? "!" : "", page.root_count);
  return text;
}

// Names joined by bars; what has none follows as one number.
PageText flags_of(std::uint64_t code, bool wide) {
  constexpr const char* kNames[] = {"P", "W", "U", "RSVD", "F"};
  PageText text{};
  std::size_t size = 0;
  const auto append = [&](const char* format, auto value) {
    size += static_cast<std::size_t>(
        std::snprintf(text.text + size, sizeof text.text - size, format,
                      size == 0 ? "" : "|", value));
  };
  for (unsigned i = 0; i < std::size(kNames); ++i) {
    if ((code >> i & 1) != 0) append("%s%s", kNames[i]);
  }
  const std::uint64_t rest = code & ~bits(std::size(kNames) - 1, 0);
  if (wide && rest != 0) append("%s0x%" PRIx64, rest);
  return text;
}

}  // namespace

TextTrace::TextTrace(const TraceLayout& layout, const MachineConfig& config)
    : layout_(layout), shown_(format_of(layout, config), config) {}

void TextTrace::line(const char* format, ...) noexcept {
  char text[kMostText * 2];
  const int prefix = std::snprintf(
      text, sizeof text, "%16s-%-7d [%03u] %s %5" PRIu64 ".%06u: ", "gpalias",
      1, cpu_, layout_.flags, event_ / kMicroseconds,
      static_cast<unsigned>(event_ % kMicroseconds));
  std::va_list values;
  va_start(values, format);
  std::vsnprintf(text + prefix, sizeof text - static_cast<unsigned>(prefix),
                 format, values);
  va_end(values);
  buffer_.add(text);
}

std::uint64_t TextTrace::shown(Spte spte, Level level) const {
  return shown_(spte.is_link(level) ? spte.without(link::kCompact) : spte);
}

void TextTrace::page_fault(const PageFault& at) noexcept {
  if (layout_.names_vcpu) {
    line("kvm_page_fault: vcpu %u rip 0x0 address 0x%016" PRIx64
         " error_code 0x%" PRIx64,
         at.vcpu, at.address, at.codes.exit);
  } else {
    line("kvm_page_fault: address %" PRIx64 " error_code %x", at.address,
         static_cast<std::uint32_t>(at.codes.exit));
  }
}

void TextTrace::spte_requested(const SpteRequested& at) noexcept {
  line("kvm_mmu_spte_requested: gfn %" PRIx64 " pfn %" PRIx64 " level %u",
       layout_.frames_as_faulted ? at.issued.value : at.gfn.value, at.pfn.value,
       number_of(at.level));
}

void TextTrace::get_page(const ShadowPage& at, bool is_new) noexcept {
  line("kvm_mmu_get_page: %s %s", text_of(at).text,
       is_new ? "new" : "existing");
}

void TextTrace::prepare_zap_page(const ShadowPage& at) noexcept {
  line("kvm_mmu_prepare_zap_page: %s", text_of(at).text);
}

void TextTrace::spte_changed(const SpteChanged& at) noexcept {
  line("kvm_tdp_mmu_spte_changed: as id %u gfn %" PRIx64
       " level %u old_spte %" PRIx64 " new_spte %" PRIx64,
       at.as_id, at.gfn, number_of(at.level), shown(at.old, at.level),
       shown(at.now, at.level));
}

// "r" says that the format has a bit for present, and all have.
void TextTrace::set_spte(const SpteSet& at) noexcept {
  const Gfn gfn =
      layout_.frames_as_faulted ? at.gfn : round_down(at.gfn, at.level);
  const auto has = [&](std::uint64_t mask, const char* name) {
    return at.spte.has(mask) ? name : "-";
  };
  line("kvm_mmu_set_spte: gfn %" PRIx64 " spte %" PRIx64
       " (r%s%s%s) level %u at %" PRIx64,
       gfn.value, shown(at.spte, at.level), has(ept::kWrite, "w"),
       has(ept::kExec, "x"), has(ept::kRead, "u"), number_of(at.level), at.at);
}

// "access" is the entry's low bits, whatever they mean in its format.
void TextTrace::mark_mmio_spte(const MmioMarked& at) noexcept {
  const std::uint64_t raw = shown(at.spte, Level::k4K);
  line("mark_mmio_spte: sptep:%016" PRIx64 " gfn %" PRIx64
       " access %x gen %" PRIx64,
       at.at, at.gfn.value, static_cast<unsigned>(raw & 7),
       shown_.mmio().generation(raw));
}

void TextTrace::check_mmio_spte(const MmioChecked& at) noexcept {
  const std::uint64_t raw = shown(at.spte, Level::k4K);
  line("check_mmio_spte: spte %" PRIx64 " kvm_gen %" PRIx64 " spte-gen %" PRIx64
       " valid %d",
       raw, shown_.mmio().wrapped(at.generation), shown_.mmio().generation(raw),
       int{at.valid});
}

// A direct map has no guest-virtual address.
void TextTrace::handle_mmio_page_fault(const MmioHandled& at) noexcept {
  const std::uint64_t raw = shown(at.spte, Level::k4K);
  line("handle_mmio_page_fault: addr:0 gfn %" PRIx64 " access %" PRIx64,
       shown_.mmio().gfn(shown_.host(), raw).value, shown_.mmio().access);
}

void TextTrace::fast_page_fault(const FastPageFault& at) noexcept {
  const PageText flags =
      flags_of(at.fault.codes.pferr, layout_.wide_error_codes);
  line("fast_page_fault: vcpu %u gva %" PRIx64
       " error_code %s sptep %016" PRIx64 " old %#" PRIx64 " new %" PRIx64
       " spurious %d fixed %d",
       at.fault.vcpu, at.fault.address, flags.text, at.at,
       shown(at.old, at.level), shown(at.now, at.level), int{at.spurious},
       int{at.fixed});
}

void TextTrace::zap_all_fast(const ZapAllFast& at) noexcept {
  line("kvm_mmu_zap_all_fast: kvm-mmu-valid-gen %u used_pages %" PRIx64,
       at.generation, at.used_pages);
}

void TextTrace::split_huge_page(const HugePageSplit& at) noexcept {
  line("kvm_mmu_split_huge_page: gfn %" PRIx64 " spte %" PRIx64
       " level %u errno %d",
       at.gfn.value, shown(at.spte, at.level), number_of(at.level), at.error);
}

void TextTrace::unmap_hva_range(const HvaRange& at) noexcept {
  line("kvm_unmap_hva_range: mmu notifier unmap range: %#016" PRIx64
       " -- %#016" PRIx64,
       at.start, at.end);
}

void TextTrace::age_hva(const HvaRange& at) noexcept {
  line("kvm_age_hva: mmu notifier age hva: %#016" PRIx64 " -- %#016" PRIx64,
       at.start, at.end);
}

void TextTrace::test_age_hva(std::uint64_t hva) noexcept {
  line("kvm_test_age_hva: mmu notifier test age hva: %#016" PRIx64, hva);
}

void TextTrace::dirty_ring_push(const DirtyRingPush& at) noexcept {
  line(
      "kvm_dirty_ring_push: ring %u: dirty 0x%x reset 0x%x slot %u"
      " offset 0x%" PRIx64 " (used %u)",
      at.ring.vcpu, at.ring.dirty, at.ring.reset, at.slot, at.offset,
      at.ring.used);
}

void TextTrace::dirty_ring_reset(const DirtyRing& at) noexcept {
  line("kvm_dirty_ring_reset: ring %u: dirty 0x%x reset 0x%x (used %u)",
       at.vcpu, at.dirty, at.reset, at.used);
}

void TextTrace::dirty_ring_exit(unsigned vcpu) noexcept {
  line("kvm_dirty_ring_exit: vcpu %u", vcpu);
}

void TextTrace::pml_full(unsigned vcpu) noexcept {
  line("kvm_pml_full: vcpu %u: PML full", vcpu);
}

void TextTrace::async_fault(const char* name, const AsyncFault& at) noexcept {
  line("%s: gva = %#" PRIx64 ", gfn = %#" PRIx64, name, at.address,
       at.gfn.value);
}

void TextTrace::async_token(const char* name, const AsyncToken& at) noexcept {
  line("%s: token %#" PRIx64 " gva %#" PRIx64, name, at.token, at.address);
}

void TextTrace::try_async_get_page(const AsyncFault& at) noexcept {
  async_fault("kvm_try_async_get_page", at);
}

void TextTrace::async_pf_repeated_fault(const AsyncFault& at) noexcept {
  async_fault("kvm_async_pf_repeated_fault", at);
}

void TextTrace::async_pf_not_present(const AsyncToken& at) noexcept {
  async_token("kvm_async_pf_not_present", at);
}

void TextTrace::async_pf_ready(const AsyncToken& at) noexcept {
  async_token("kvm_async_pf_ready", at);
}

}  // namespace mmu
