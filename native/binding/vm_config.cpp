#include "binding/vm_config.hpp"

#include <array>

#include "binding/arguments.hpp"
#include "binding/choices.hpp"
#include "binding/errors.hpp"

namespace mmu::binding {
namespace {

// Reads the options of one config object by name.
class Options {
 public:
  explicit Options(Napi::Value value) : from_(object(value, "config")) {}

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
  static std::string called(const char* name) {
    return std::string("config.") + name;
  }

  Napi::Object from_;
};

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
      .tlb_entries = from.count("tlbEntries"),
      .tlb_ways = from.count("tlbWays"),
      .internal_slots = from.flag("internalSlots"),
      .guest_paging = from.choice<GuestPaging>("guestPaging", kPagingNames),
      .external_tables = from.words("externalTables"),
      .convert_on_exit = from.flag("convertOnExit"),
  };
}

}  // namespace mmu::binding
