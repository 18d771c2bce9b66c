#include "core/host_memory.hpp"

#include <algorithm>
#include <string>

namespace mmu {
namespace {

constexpr std::uint64_t kHostEnd = bit(kMaxAddressBits);

Error refuse(const HostMappingRequest& request, std::string detail) {
  return {ErrorCode::kHostMapping,
          {{{"hva", request.hva},
            {"bytes", request.bytes},
            {"pfn", request.pfn.value_or(0)},
            {"level", request.level}}},
          std::move(detail)};
}

}  // namespace

HostMemory::Mappings::const_iterator HostMemory::first_ending_above(
    HostPage page) const noexcept {
  auto at = mappings_.upper_bound(page);
  if (at != mappings_.begin()) {
    const auto before = std::prev(at);
    if (page < before->second.pages.end) at = before;
  }
  return at;
}

const HostMapping* HostMemory::find(HostPage page) const noexcept {
  const auto at = first_ending_above(page);
  const bool found = at != mappings_.end() && at->second.pages.contains(page);
  return found ? &at->second : nullptr;
}

bool HostMemory::meets(HostRange pages) const noexcept {
  const auto at = first_ending_above(pages.start);
  return at != mappings_.end() && at->first < pages.end;
}

void HostMemory::cut_at(HostPage page) {
  const auto at = mappings_.lower_bound(page);
  if (at == mappings_.begin()) return;
  HostMapping& lower = std::prev(at)->second;
  if (!lower.pages.contains(page)) return;
  HostMapping upper = lower;
  upper.pages.start = page;
  upper.first_frame = lower.frame_of(page);
  mappings_.emplace_hint(at, page, upper);
  lower.pages.end = page;
}

void HostMemory::erase(HostRange pages) noexcept {
  mappings_.erase(mappings_.lower_bound(pages.start),
                  mappings_.lower_bound(pages.end));
}

// Nodes are made before the first mapping goes. Where memory runs out a cut may
// stay, which says of every page what was said before.
void HostMemory::set(const HostMapping& mapping) {
  Mappings made;
  made.emplace(mapping.pages.start, mapping);
  forget(mapping.pages);
  mappings_.merge(made);
}

void HostMemory::forget(HostRange pages) {
  if (!meets(pages)) return;
  cut_at(pages.start);
  cut_at(pages.end);
  erase(pages);
}

void HostMemory::make_resident(HostPage page) {
  const HostMapping* found = find(page);
  if (found == nullptr || found->state != HostState::kIo) return;
  HostMapping mapping = *found;
  mapping.first_frame = found->frame_of(page);
  mapping.pages = {page, {page.value + 1}};
  mapping.state = HostState::kReadWrite;
  set(mapping);
}

std::optional<Error> check_host_mapping(const HostMappingRequest& request,
                                        std::uint64_t frames) {
  const bool aligned = (request.hva | request.bytes) % kPageSize == 0;
  if (!aligned || request.bytes == 0 || request.hva >= kHostEnd ||
      request.bytes > kHostEnd - request.hva) {
    return refuse(request,
                  "expected whole pages of host memory below 2^52, got hva " +
                      number(request.hva) + " with " + number(request.bytes) +
                      " bytes");
  }
  if (request.level < 1 || request.level > number_of(kMaxHugeLevel)) {
    return refuse(request, "expected level 1, 2 or 3, got " +
                               std::to_string(request.level));
  }
  const bool is_usual = request.state == HostState::kReadWrite &&
                        !request.pfn && request.level == 1;
  if (request.reset && !is_usual) {
    return refuse(request, "expected a reset without state, pfn and level");
  }
  if (!request.pfn) return std::nullopt;
  const std::uint64_t pages = request.bytes >> kPageShift;
  const bool fits = *request.pfn < frames && pages <= frames - *request.pfn;
  const std::uint64_t span = pages_per(level_of(request.level));
  if (!fits || *request.pfn % span != 0) {
    return refuse(request, "expected host frames below " + number(frames) +
                               " that begin at a multiple of " + number(span) +
                               ", got " + number(pages) + " from pfn " +
                               number(*request.pfn));
  }
  return std::nullopt;
}

HostMapping mapping_of(const HostMappingRequest& request) {
  const HostPage start = page_of(Hva{request.hva});
  return {.pages = {start, {start.value + (request.bytes >> kPageShift)}},
          .state = request.state,
          .level = level_of(request.level),
          .has_frames = request.pfn.has_value(),
          .first_frame = {request.pfn.value_or(0)}};
}

}  // namespace mmu
