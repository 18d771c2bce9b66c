#include "binding/vm_config.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "binding/arguments.hpp"
#include "binding/choices.hpp"
#include "binding/errors.hpp"

namespace mmu::binding {
namespace {

// Reads the options of one config object by name.
class Options {
 public:
  explicit Options(Napi::Value value, std::string prefix = "config")
      : from_(object(value, prefix)), prefix_(std::move(prefix)) {}

  Options part(const char* name) const {
    return Options(from_.Get(name), called(name));
  }

  // The objects of an array, each as options.
  std::vector<Options> list(const char* name, std::size_t most) const {
    const std::vector<Napi::Value> values =
        elements(from_.Get(name), called(name), most);
    std::vector<Options> parts;
    for (std::size_t i = 0; i < values.size(); ++i) {
      parts.emplace_back(values[i],
                         called(name) + "[" + std::to_string(i) + "]");
    }
    return parts;
  }

  std::uint32_t count(const char* name) const {
    return integer<std::uint32_t>(from_.Get(name), called(name));
  }
  std::uint64_t size(const char* name) const {
    return integer<std::uint64_t>(from_.Get(name), called(name));
  }
  bool flag(const char* name) const {
    return boolean(from_.Get(name), called(name));
  }
  std::string words(const char* name) const {
    return text(from_.Get(name), called(name), kMaxNameBytes);
  }
  template <class E, std::size_t N>
  E choice(const char* name,
           const std::array<std::string_view, N>& names) const {
    return static_cast<E>(index_of(from_.Get(name), called(name), names));
  }

 private:
  std::string called(const char* name) const { return prefix_ + "." + name; }

  Napi::Object from_;
  std::string prefix_;
};

TlbGeometry tlb_array(const Options& from) {
  return {.entries = from.count("entries"),
          .ways = from.count("ways"),
          .sizes = from.count("sizes")};
}

TlbShape tlb_shape(const Options& from) {
  TlbShape shape;
  for (const Options& array : from.list("arrays", TlbShape::kMostArrays)) {
    shape.arrays.push_back(tlb_array(array));
  }
  const Options links = from.part("pagingStructureCaches");
  constexpr std::array kNames{"pde", "pdpte", "pml4e", "pml5e"};
  std::ranges::transform(kNames, shape.links.begin(),
                         [&](const char* name) { return links.count(name); });
  return shape;
}

HostOptions host_options(const Options& from) {
  return {
      .vendor = from.choice<Vendor>("vendor", kVendorNames),
      .ad_bits = from.flag("adBits"),
      .pml = from.flag("pml"),
      .nx_huge_pages = from.flag("nxHugePages"),
      .eager_page_split = from.flag("eagerPageSplit"),
      .mmio_caching = from.flag("mmioCaching"),
      .l1tf = from.flag("l1tf"),
      .memory_types = from.flag("memoryTypes"),
      .slot_zap_all = from.flag("slotZapAll"),
      .async_page_faults = from.flag("asyncPageFaults"),
      .apicv = from.flag("apicv"),
  };
}

}  // namespace

MachineConfig vm_config(Napi::Value value) {
  const Options from(value);
  return {
      .address_bits = from.count("addressBits"),
      .root_level = from.count("rootLevel"),
      .host_maxphyaddr = from.count("hostMaxphyaddr"),
      .vcpus = from.count("vcpus"),
      .arena_bytes = from.size("arenaBytes"),
      .strategy = from.words("strategy"),
      .preset = from.words("preset"),
      .mmu = from.choice<Flavour>("mmu", kFlavourNames),
      .flush_provider = from.words("flushProvider"),
      .tlb = tlb_shape(from.part("tlb")),
      .internal_slots = from.flag("internalSlots"),
      .guest_paging = from.choice<GuestPaging>("guestPaging", kPagingNames),
      .external_tables = from.words("externalTables"),
      .convert_on_exit = from.flag("convertOnExit"),
      .kernel = from.choice<Kernel>("kernel", kKernelNames),
      .host = host_options(from.part("host")),
  };
}

}  // namespace mmu::binding
