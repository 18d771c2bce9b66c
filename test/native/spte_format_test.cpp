// The formats of entries against worked values, bit for bit, and the views
// that show a VM's entries in its own.
#include "core/formats/ept_510.hpp"
#include "core/formats/ept_61.hpp"
#include "core/formats/ept_616.hpp"
#include "core/formats/npt_510.hpp"
#include "core/formats/npt_616.hpp"
#include "core/formats/shown.hpp"
#include "core/leaf.hpp"
#include "core/role.hpp"
#include "world.hpp"

using namespace mmu;

namespace {

constexpr Spte kLeaf = make_leaf({0x12345}, Level::k4K, true);
constexpr Spte kHugeLeaf =
    make_leaf({0x12200}, Level::k2M, true).without(ept::kExec);
constexpr Spte kLink = make_link(0x4567000);
constexpr HostWidth kPlain{46, false};

std::uint64_t shown(const SpteFormat& format, Spte spte,
                    HostWidth host = kPlain) {
  return format.show(host, spte);
}

std::uint64_t mmio(const SpteFormat& format, std::uint64_t gfn,
                   std::uint64_t generation, HostWidth host = kPlain) {
  return format.show(host, make_mmio({gfn}, generation));
}

struct Case {
  const char* what;
  Spte spte;
  std::uint64_t ept;
};

// A1, the EPT rows. Each is the first one, changed as KVM changes it.
const Case kEptRows[] = {
    {"leaf", kLeaf, 0x8600000012345b77},
    {"prefetched", kLeaf.without(ept::kAccessed), 0x8600000012345a77},
    {"W removed for logging", kLeaf.without(ept::kWrite), 0x8600000012345b75},
    {"write-protected for shadowing",
     kLeaf.without(ept::kWrite | ept::kMmuWritable), 0x8200000012345b75},
    {"built without W",
     kLeaf.without(ept::kWrite | ept::kMmuWritable | ept::kDirty),
     0x8200000012345975},
    {"D cleared", kLeaf.without(ept::kDirty), 0x8600000012345977},
    {"read-only slot", make_leaf({0x12345}, Level::k4K, false),
     0x8000000012345975},
    {"A/D disabled", kLeaf.with(ept::kAdDisabled), 0x8610000012345b77},
    {"access-tracked",
     kLeaf.with(ept::kAdDisabled | ept::kSavedPermissions)
         .without(ept::kPermissions | ept::kAccessed),
     0x8750000012345a70},
    {"write-protect only", kLeaf.with(ept::kAdWriteProtectOnly),
     0x8620000012345b77},
    {"the host's own MMIO",
     build_leaf({.pfn = {0xfebf0}, .memory_type = 0}, {}), 0x86000000febf0b07},
    {"2M without X", kHugeLeaf, 0x8600000012200bf3},
    {"link", kLink, 0x8000000004567907},
    {"link without A/D", kLink.with(ept::kAdDisabled).without(ept::kAccessed),
     0x8010000004567807},
    {"empty", Spte{}, 0x8000000000000000},
    {"frozen", Spte{ept::kFrozen}, 0x80000000000005a0},
};

MachineConfig with(Kernel kernel, Vendor vendor) {
  MachineConfig config;
  config.kernel = kernel;
  config.host.vendor = vendor;
  config.host_maxphyaddr = 46;
  config.address_bits = 46;
  return config;
}

}  // namespace

TEST_CASE("A1: every EPT row of v6.16 is the engine's own entry") {
  for (const Case& row : kEptRows) {
    INFO(row.what);
    CHECK(row.spte.raw == row.ept);
    CHECK(shown(kEpt616, row.spte) == row.ept);
  }
}

TEST_CASE("A1: nested tables of v6.16 have U for R and NX for no X") {
  CHECK(shown(kNpt616, kLeaf) == 0x0000000012345e67);
  CHECK(shown(kNpt616, kHugeLeaf) == 0x8000000012200ee7);
  CHECK(shown(kNpt616, kLink) == 0x0000000004567827);
  CHECK(shown(kNpt616, kLink.with(ept::kAdDisabled).without(ept::kAccessed)) ==
        0x0010000004567807);
  CHECK(shown(kNpt616, Spte{}) == 0x8000000000000000);
  CHECK(shown(kNpt616, Spte{ept::kFrozen}) == 0x80000000000005a0);
}

TEST_CASE("A1: before #VE an EPT entry is the same without bit 63") {
  for (const Case& row : kEptRows) {
    INFO(row.what);
    const bool kept = (row.spte.raw & ept::kAdType) != ept::kAdDisabled;
    const std::uint64_t marks = kept ? 0 : ept::kAccessed | ept::kDirty;
    CHECK(shown(kEpt61, row.spte) == (row.ept & ~(bit(63) | marks)));
  }
  CHECK(shown(kEpt61, make_leaf({0x1980dc3}, Level::k4K, true)) ==
        0x0600001980dc3b77);
  CHECK(shown(kEpt61,
              make_leaf({0x18f3150}, Level::k4K, true).without(ept::kDirty)) ==
        0x06000018f3150977);
  CHECK(shown(kEpt61,
              make_leaf({0x198b200}, Level::k2M, true).without(ept::kExec)) ==
        0x060000198b200bf3);
  CHECK(shown(kEpt61, make_link(0x18af606000)) == 0x00000018af606907);
  // A host without A/D: neither bit was ever set.
  const Spte unmarked =
      make_leaf({0x34d4fe}, Level::k4K, true).with(ept::kAdDisabled);
  CHECK(shown(kEpt61, unmarked) == 0x061000034d4fe877);
}

TEST_CASE("A1: 5.10 keeps its software bits at 10 and 11, and no other") {
  CHECK(shown(kEpt510, kLeaf) == 0x0000000012345f77);
  CHECK(shown(kEpt510, kLeaf.without(ept::kWrite)) == 0x0000000012345f75);
  CHECK(shown(kEpt510, make_leaf({0x12345}, Level::k4K, false)) ==
        0x0000000012345175);
  CHECK(shown(kEpt510, kHugeLeaf) == 0x0000000012200ff3);
  CHECK(shown(kEpt510, kLink) == 0x0000000004567107);
  CHECK(shown(kEpt510, kLeaf.with(ept::kAdDisabled)) == 0x0010000012345c77);
  CHECK(shown(kEpt510, Spte{}) == 0);
  CHECK(shown(kEpt510, Spte{ept::kFrozen}) == 0);
  CHECK(shown(kNpt510, kLeaf) == 0x0000000012345c67);
  CHECK(shown(kNpt510, kHugeLeaf) == 0x8000000012200ce7);
  CHECK(shown(kNpt510, kLink) == 0x0000000004567027);
  CHECK(shown(kNpt510, Spte{}) == 0);
}

TEST_CASE("A2: MMIO entries of EPT carry frame and generation") {
  constexpr HostWidth kL1tf{44, true};
  const struct {
    std::uint64_t generation, plain, l1tf;
  } rows[] = {{0, 0x00000000fee00006, 0x00000f80fee00006},
              {2, 0x00000000fee00016, 0x00000f80fee00016},
              {0x102, 0x00100000fee00016, 0x00100f80fee00016},
              {0x7fffe, 0x7ff00000fee007f6, 0x7ff00f80fee007f6}};
  for (const auto& row : rows) {
    CHECK(mmio(kEpt616, 0xfee00, row.generation) == row.plain);
    CHECK(mmio(kEpt616, 0xfee00, row.generation, kL1tf) == row.l1tf);
  }
  CHECK(mmio(kEpt616, 0x800000000, 6) == 0x0000800000000036);
  // As recorded on an Intel host.
  CHECK(mmio(kEpt61, 0xa, 0xa, {46, true}) == 0x00003e000000a056);
}

TEST_CASE("A2: MMIO entries of the other formats") {
  CHECK(mmio(kNpt616, 0xfee00, 2) == 0x00080000fee00017);
  CHECK(mmio(kEpt510, 0xfee00, 2) == 0x00300000fee00016);
  CHECK(mmio(kEpt510, 0xfee00, 0x202) == 0x00700000fee00016);
  CHECK(mmio(kNpt510, 0xfee00, 2) == 0x00380000fee00017);
  // One bit of generation less.
  CHECK(mmio(kEpt510, 0xfee00, 0x40002) == mmio(kEpt510, 0xfee00, 2));
}

TEST_CASE("A2: an MMIO entry is read back as it was written") {
  const SpteFormat* formats[] = {&kEpt616, &kEpt61, &kNpt616, &kEpt510,
                                 &kNpt510};
  const HostWidth hosts[] = {{46, false}, {44, true}, {46, true}, {36, true}};
  for (const SpteFormat* format : formats) {
    for (const HostWidth host : hosts) {
      // Any frame below the relocated field, and one inside it.
      const std::uint64_t top = bit(host.bits - kPageShift - 1);
      for (const std::uint64_t gfn :
           {std::uint64_t{0}, std::uint64_t{0xa}, std::uint64_t{0xfee00},
            top >> 5, top >> 2, top | 0x123}) {
        const std::uint64_t raw = mmio(*format, gfn, 0x2fefe, host);
        CHECK(format->mmio.is_mmio(raw));
        CHECK(format->mmio.gfn(host, raw).value == gfn);
        CHECK(format->mmio.generation(raw) == format->mmio.wrapped(0x2fefe));
      }
    }
    CHECK_FALSE(format->mmio.is_mmio(shown(*format, kLeaf)));
    CHECK_FALSE(format->mmio.is_mmio(shown(*format, kLink)));
    CHECK_FALSE(format->mmio.is_mmio(shown(*format, Spte{})));
  }
}

TEST_CASE("A2: frame bits at or above the physical width are lost again") {
  // GPA bit 47 on a host of 46 bits: kept in the entry, gone when it is read.
  const std::uint64_t raw = mmio(kEpt616, 0x800000100, 6);
  CHECK((raw & bit(47)) != 0);
  CHECK(kEpt616.mmio.gfn(kPlain, raw).value == 0x100);
}

TEST_CASE("A2: with L1TF a frame above the moved field is not to be had") {
  constexpr HostWidth kL1tf{44, true};
  const std::uint64_t raw = mmio(kEpt616, 0x800000000, 6, kL1tf);
  CHECK(kEpt616.mmio.is_mmio(raw));
  CHECK(kEpt616.mmio.gfn(kL1tf, raw).value != 0x800000000);
}

TEST_CASE("A2: a cache wider than 46 bits leaves L1TF no room") {
  CHECK(mmio(kEpt616, 0xfee00, 2, {47, true}) ==
        mmio(kEpt616, 0xfee00, 2, {47, false}));
  CHECK(mmio(kEpt616, 0xfee00, 2, {46, true}) !=
        mmio(kEpt616, 0xfee00, 2, {46, false}));
}

TEST_CASE("A7: role words") {
  CHECK(tdp_role(Level::k512G).word == 0x00003784);
  CHECK(tdp_role(Level::k256T).word == 0x00003785);
  CHECK(tdp_role(Level::k512G).with(1u << PageRole::kSmmShift).word ==
        0x01003784);
  CHECK(tdp_role(Level::k512G).with(PageRole::kAdDisabled).word == 0x00013784);
  CHECK(tdp_role(Level::k512G).with(PageRole::kMirror).word == 0x00083784);
  const PageRole indirect{
      1u | PageRole::kHas4ByteGpte | 1u << PageRole::kQuadrantShift |
      PageRole::kAccessAll | PageRole::kEferNx | PageRole::kCr0Wp};
  CHECK(indirect.word == 0x00003731);
  CHECK(indirect.as_510().word == 0x00003721);
  CHECK(tdp_role(Level::k512G).as_510().word == 0x00003794);
}

TEST_CASE("A4, B02: bit 51 is root entry 8 of five levels, bit 47 entry 256") {
  const struct {
    std::uint64_t gpa;
    unsigned index[5];  // level 5 first
    std::uint64_t gfn;
  } rows[] = {
      {0x0000000000100000, {0, 0, 0, 0, 256}, 0x100},
      {0x0000800000100000, {0, 256, 0, 0, 256}, 0x800000100},
      {0x0008000000100000, {8, 0, 0, 0, 256}, 0x8000000100},
      {0x00007fffffffffff, {0, 255, 511, 511, 511}, 0x7ffffffff},
  };
  for (const auto& row : rows) {
    const AliasedGfn gfn = gfn_of(Gpa{row.gpa});
    CHECK(gfn.value == row.gfn);
    for (unsigned level = 5; level >= 1; --level) {
      CHECK(table_index(gfn, level_of(level)) == row.index[5 - level]);
    }
  }
  // Where the alias bit is the root's top index bit, the last stripped frame
  // of its half is the raw table's last entry.
  constexpr AliasedGfn kStripped{0x7f8000000};
  CHECK(table_index(kStripped, Level::k512G) == 255);
  CHECK(table_index(AliasedGfn{kStripped.value | bit(35)}, Level::k512G) ==
        511);
}

TEST_CASE("walk, leaves and rmap show entries as the VM's kernel has them") {
  const struct {
    Kernel kernel;
    Vendor vendor;
    std::uint64_t flags, mmio;
  } rows[] = {
      {Kernel::k616, Vendor::kIntel, 0x8600000000000b77, 0x00000000fee00016},
      {Kernel::k616, Vendor::kAmd, 0x0000000000000e67, 0x00080000fee00017},
      {Kernel::k510, Vendor::kIntel, 0x0000000000000f77, 0x00300000fee00016},
      {Kernel::k510, Vendor::kAmd, 0x0000000000000c67, 0x00380000fee00017},
  };
  for (const auto& row : rows) {
    auto vm = world::vm(with(row.kernel, row.vendor));
    world::add(*vm, {.bytes = world::kMiB});
    world::access(*vm, 0x5000);
    world::access(*vm, 0xfee00000);
    const auto steps = vm->walk(0x5000);
    REQUIRE(steps);
    CHECK((steps.value().back().spte & ~ept::kAddress) == row.flags);
    const auto ways = vm->rmap(0x5000);
    REQUIRE(ways);
    REQUIRE(ways.value().size() == 1);
    CHECK(ways.value()[0].spte == steps.value().back().spte);
    const auto leaves = vm->leaves(true);
    REQUIRE(leaves.size() == 2);
    CHECK(leaves[0].spte == steps.value().back().spte);
    CHECK(leaves[1].spte == row.mmio);
  }
}

TEST_CASE("an empty entry is zero in 5.10, and all but bit 63 in v6.16") {
  for (const Kernel kernel : {Kernel::k616, Kernel::k510}) {
    auto vm = world::vm(with(kernel, Vendor::kIntel));
    world::add(*vm, {.bytes = world::kMiB});
    world::access(*vm, 0x5000);
    const auto steps = vm->walk(0x6000);
    REQUIRE(steps);
    CHECK(steps.value().back().spte ==
          (kernel == Kernel::k510 ? 0 : ept::kEmpty));
  }
}

TEST_CASE("L1TF marks the MMIO entries of a VM") {
  MachineConfig config = with(Kernel::k616, Vendor::kIntel);
  config.host.l1tf = true;
  auto vm = world::vm(config);
  world::access(*vm, 0xfee00000);
  const auto leaves = vm->leaves(true);
  REQUIRE(leaves.size() == 1);
  CHECK(leaves[0].spte == 0x00003e00fee00006);
  // It is still found current: nothing is made anew.
  const auto again = world::access(*vm, 0xfee00000);
  CHECK(again.code == OutcomeCode::kEmulate);
  CHECK(again.sptes_changed == 0);
}
