// Rule rmap-mismatch: each book of the legacy MMU, damaged on purpose.
#include "audited_world.hpp"
#include "core/audit/audit_findings.hpp"

using mmu::Flavour;
using mmu::Level;
using mmu::SpteRef;
using mmu::TableRef;
using mmu::words;
using world::Audited;
using world::kA;
using world::kB;
using world::kMiB;
using world::kPage;

namespace {

constexpr std::string_view kRule = "rmap-mismatch: ";

Audited shadowed(std::string_view strategy = "stolen-bits") {
  Audited vm(world::Setup{strategy, Flavour::kRmap});
  vm.add({.gpa = kA, .bytes = 4 * kPage});
  vm.access(kA);
  vm.access(kB);
  REQUIRE(vm.found() == "");
  return vm;
}

mmu::ReverseMap& rmap_of(Audited& vm) {
  return *vm.mmu().slots().slots()[0]->rmap;
}

SpteRef leaf_at(Audited& vm, std::uint64_t gpa) {
  const unsigned index =
      mmu::table_index(mmu::gfn_of(mmu::Gpa{gpa}), Level::k4K);
  return {vm.table(gpa, Level::k4K).id, static_cast<std::uint16_t>(index)};
}

std::string unlisted(SpteRef leaf, std::string_view at) {
  return words(kRule, "a leaf is not in the reverse map of slot 0, page ",
               leaf.table, " entry ", leaf.index, " at ", at, " level 1");
}
std::string listed(SpteRef leaf, std::string_view at) {
  return words(kRule,
               "a reverse map of slot 0 names what is no leaf of the frame, "
               "page ",
               leaf.table, " entry ", leaf.index, " at ", at, " level 1");
}

}  // namespace

TEST_CASE("an audit finds a leaf that its reverse map lacks") {
  Audited vm = shadowed();
  const SpteRef leaf = leaf_at(vm, kB);
  REQUIRE(rmap_of(vm).remove(Level::k4K, 0, leaf));
  CHECK(vm.found() == unlisted(leaf, "0x800000100000"));
}

TEST_CASE("an audit finds a reverse map's entry that no leaf is behind") {
  Audited vm = shadowed();
  SpteRef nowhere = leaf_at(vm, kA);
  nowhere.index += 64;
  rmap_of(vm).add(Level::k4K, 1, nowhere);
  CHECK(vm.found() == listed(nowhere, "0x101000"));
}

TEST_CASE("an audit finds a leaf in the list of another frame, and one twice") {
  Audited vm = shadowed();
  const SpteRef leaf = leaf_at(vm, kA);
  rmap_of(vm).add(Level::k4K, 0, leaf);
  CHECK(vm.found() == listed(leaf, "0x100000"));
  rmap_of(vm).remove(Level::k4K, 0, leaf);
  rmap_of(vm).remove(Level::k4K, 0, leaf);
  rmap_of(vm).add(Level::k4K, 3, leaf);
  CHECK(vm.found() ==
        unlisted(leaf, "0x100000") + "\n" + listed(leaf, "0x103000"));
}

TEST_CASE("an audit finds a list of parents that differs from the links") {
  for (const std::string_view strategy : {"stolen-bits", "v5-as-posted"}) {
    Audited vm = shadowed(strategy);
    mmu::ParentLists& parents = Audited::mine(vm.mmu().ops->books()->parents);
    const TableRef child = vm.table(kB, Level::k4K);
    const TableRef parent = vm.table(kB, Level::k2M);
    const SpteRef link{parent.id, 0};
    REQUIRE(parents.remove(child.id, link));
    CHECK(vm.found() == words(kRule, "the list of page ", child.id,
                              " lacks page ", parent.id, " entry 0"));
    parents.add(child.id, link);
    CHECK(vm.found() == "");
    parents.add(child.id, {parent.id, 9});
    CHECK(vm.found() == words(kRule, "a parent of page ", child.id, " is page ",
                              parent.id,
                              " entry 9, which does not link to it"));
  }
}

TEST_CASE("an audit finds a shadow page that has left the hash") {
  Audited vm = shadowed();
  mmu::ShadowHash& hash = Audited::mine(vm.mmu().ops->books()->hash);
  const TableRef table = vm.table(kB, Level::k4K);
  const mmu::PageHeader& header = vm.mmu().pool.header(table.id);
  hash.remove({header.gfn, Level::k4K, 0});
  const std::string found = vm.found();
  CHECK(found.starts_with(
      words("accounting-mismatch: pages_4k is kept as 2, where 1 are found")));
  CHECK(found.find(words(kRule, "queued page ", table.id, " is not in use")) !=
        std::string::npos);
  CHECK(found.find(words("a link leads to a page that the hash does not hold, "
                         "page ",
                         table.id)) != std::string::npos);
}

TEST_CASE("an audit finds a shadow page that is not under its key") {
  Audited vm = shadowed();
  mmu::ShadowHash& hash = Audited::mine(vm.mmu().ops->books()->hash);
  const TableRef table = vm.table(kB, Level::k4K);
  mmu::PageHeader& header = vm.mmu().pool.header(table.id);
  const mmu::AliasedGfn own = header.gfn;
  header.gfn.value += 512;
  CHECK(vm.found() == words(kRule, "page ", table.id,
                            " has another key than the hash at "
                            "0x800000000000 level 1\n",
                            kRule, "a link leads to page ", table.id,
                            ", which is for other frames at 0x800000000000 "
                            "level 2"));
  header.gfn = own;
  // The first of two pages of a key is the one that is found.
  const TableRef other = vm.table(kA, Level::k4K);
  hash.insert({own, Level::k4K, 0}, other.id);
  CHECK(vm.found().find(words(kRule, "page ", table.id,
                              " is not found under its key at 0x800000000000 "
                              "level 1")) != std::string::npos);
}

TEST_CASE("an audit finds a shadow page that the queue lacks") {
  Audited vm = shadowed();
  const TableRef table = vm.table(kA, Level::k4K);
  Audited::mine(vm.mmu().ops->books()->active).remove(table.id);
  CHECK(vm.found() == words(kRule, "page ", table.id, " is in no queue"));
}

TEST_CASE("an audit finds a root that no vCPU has") {
  Audited vm = shadowed("stolen-bits");
  const TableRef root = vm.tree().root();
  vm.tree().adopt_root({});
  CHECK(vm.found() == words(kRule, "page ", root.id,
                            " is a root that no vCPU has at 0x0 level 4\n",
                            kRule, "page ", root.id, " is in no queue"));
}

TEST_CASE("a leaf that outlived its slot is K1's, once another slot has come") {
  Audited vm(world::Setup{"stolen-bits-tdx", Flavour::kRmap, "tdx47"});
  vm.add({.gpa = kA, .bytes = kPage});
  vm.access(kA);
  REQUIRE(mmu::set_memslot(vm.mmu(), {.slot = 0}));
  CHECK(vm.found() == "");
  vm.add({.gpa = kA, .bytes = kPage});
  const auto report = vm.audit();
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].rule == "rmap-mismatch");
  CHECK(report.findings[0].defect == "K1");
  CHECK(report.findings[0].place->root == 1);
}
