// Which roots a vCPU keeps when its guest loads CR3.
#include "core/shadow/root_cache.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace {

using mmu::Gfn;
using mmu::kNoShadow;
using mmu::LoadedRoot;
using mmu::PageRole;
using mmu::RootCache;
using mmu::ShadowId;
using mmu::ShadowPages;

constexpr PageRole kRole{0x3704};
constexpr PageRole kOtherRole{0x1704};

// A vCPU that loads a root for each CR3 that its cache does not have.
struct Vcpu {
  ShadowPages pages;
  RootCache cache;
  std::vector<std::uint64_t> gone;  // by CR3

  // Whether the cache had it.
  bool load(std::uint64_t cr3, PageRole role = kRole) {
    const RootCache::Switched done = cache.switch_to(cr3, role, pages);
    if (done.gone.is_there()) gone.push_back(done.gone.pgd);
    if (done.is_found) return true;
    pages.reserve(1);
    const Gfn gfn{cr3 >> mmu::kPageShift};
    ShadowId page = pages.find(gfn, role);
    if (page == kNoShadow) page = pages.make(gfn, role, 0);
    ++pages[page].roots;
    cache.current = {LoadedRoot::Kind::kPage, {page}, cr3};
    return false;
  }

  std::vector<std::uint64_t> kept() const {
    std::vector<std::uint64_t> all;
    cache.for_each([&](const LoadedRoot& root) { all.push_back(root.pgd); });
    return all;
  }
};

using Cr3s = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("three roots are kept behind the current one, the latest first") {
  Vcpu vcpu;
  for (std::uint64_t cr3 = 0x1000; cr3 <= 0x5000; cr3 += 0x1000) {
    CHECK_FALSE(vcpu.load(cr3));
  }
  CHECK(vcpu.kept() == Cr3s{0x5000, 0x4000, 0x3000, 0x2000});
  CHECK(vcpu.gone == Cr3s{0x1000});
}

TEST_CASE("a root that is found leaves its place to the one that was current") {
  Vcpu vcpu;
  for (const std::uint64_t cr3 : {0x1000u, 0x2000u, 0x3000u, 0x4000u}) {
    vcpu.load(cr3);
  }
  CHECK(vcpu.load(0x2000));
  CHECK(vcpu.kept() == Cr3s{0x2000, 0x4000, 0x3000, 0x1000});
  CHECK(vcpu.load(0x2000));
  CHECK(vcpu.kept() == Cr3s{0x2000, 0x4000, 0x3000, 0x1000});
  CHECK(vcpu.gone.empty());
}

TEST_CASE("a root is another for another role, and for other bits of CR3") {
  Vcpu vcpu;
  vcpu.load(0x1000);
  CHECK_FALSE(vcpu.load(0x1000, kOtherRole));
  CHECK_FALSE(vcpu.load(0x1018, kOtherRole));
  CHECK(vcpu.load(0x1000));
}

TEST_CASE("a root that was zapped is not found") {
  Vcpu vcpu;
  vcpu.load(0x1000);
  vcpu.load(0x2000);
  vcpu.pages.zap(vcpu.pages.find({1}, kRole));
  CHECK_FALSE(vcpu.load(0x1000));
}

TEST_CASE("what is not one page goes at the next CR3, and the rest moves up") {
  Vcpu vcpu;
  vcpu.load(0x1000);
  vcpu.load(0x2000);
  vcpu.load(0x3000);
  CHECK_FALSE(vcpu.cache.switch_to(0x9000, kRole, vcpu.pages).is_found);
  SUBCASE("the dummy") { vcpu.cache.current = {LoadedRoot::Kind::kDummy}; }
  SUBCASE("PAE's") { vcpu.cache.current = {LoadedRoot::Kind::kPae}; }
  vcpu.cache.current.pgd = 0x9000;
  CHECK(vcpu.load(0x2000));
  CHECK(vcpu.gone == Cr3s{0x9000});
  CHECK(vcpu.kept() == Cr3s{0x2000, 0x3000, 0x1000});
}

TEST_CASE("the dummy and the roots of PAE are obsolete whatever their age") {
  Vcpu vcpu;
  vcpu.load(0x1000);
  CHECK_FALSE(is_obsolete(vcpu.cache.current, vcpu.pages));
  CHECK(is_obsolete({.kind = LoadedRoot::Kind::kDummy}, vcpu.pages));
  CHECK(is_obsolete({.kind = LoadedRoot::Kind::kPae}, vcpu.pages));
  vcpu.pages.zap(vcpu.cache.current.pages[0]);
  CHECK(is_obsolete(vcpu.cache.current, vcpu.pages));
}
