#include "core/shadow_hash.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>
#include <vector>

namespace {

using mmu::Level;
using mmu::PageId;
using mmu::ShadowHash;
using mmu::ShadowKey;

using Plain = std::tuple<std::uint64_t, Level, std::uint8_t>;

Plain plain(ShadowKey key) { return {key.gfn.value, key.level, key.root}; }

std::uint64_t bucket_of(std::uint64_t gfn) {
  return (gfn * 0x61c8864680b583ebULL) >> 52;
}

// Frames that all fall into the bucket of frame 0, and a few that do not.
std::vector<std::uint64_t> frames_that_meet(std::size_t count) {
  std::vector<std::uint64_t> frames{1, 512, mmu::bit(40) - 1, mmu::bit(35)};
  const std::size_t all = frames.size() + count;
  for (std::uint64_t gfn = 0; frames.size() < all; ++gfn) {
    if (bucket_of(gfn) == 0) frames.push_back(gfn);
  }
  return frames;
}

// Chains as lists, newest first, walked the obvious way.
struct Model {
  std::map<std::uint64_t, std::vector<std::pair<Plain, PageId>>> chains;
  std::uint32_t most = 0;

  PageId find(ShadowKey key) {
    std::uint32_t others = 0;
    PageId found = mmu::kNoPage;
    for (const auto& [other, page] : chains[bucket_of(key.gfn.value)]) {
      if (other == plain(key)) {
        found = page;
        break;
      }
      others += std::get<0>(other) != key.gfn.value;
    }
    most = std::max(most, others);
    return found;
  }
  void insert(ShadowKey key, PageId page) {
    auto& chain = chains[bucket_of(key.gfn.value)];
    chain.insert(chain.begin(), {plain(key), page});
  }
  std::map<Plain, PageId> remove_if(auto matches) {
    std::map<Plain, PageId> gone;
    for (auto& [bucket, chain] : chains) {
      std::erase_if(chain, [&](const auto& entry) {
        const bool goes = matches(entry.first);
        if (goes) gone.insert(entry);
        return goes;
      });
    }
    return gone;
  }
  std::map<Plain, PageId> all() const {
    std::map<Plain, PageId> found;
    for (const auto& [bucket, chain] : chains) {
      found.insert(chain.begin(), chain.end());
    }
    return found;
  }
};

std::map<Plain, PageId> all(const ShadowHash& hash) {
  std::map<Plain, PageId> found;
  hash.for_each([&](ShadowKey key, PageId page) {
    REQUIRE(found.insert({plain(key), page}).second);
  });
  return found;
}

void remove_root(ShadowHash& hash, Model& model, std::uint8_t root) {
  std::map<Plain, PageId> gone;
  hash.remove_root(root, [&](ShadowKey key, PageId page) {
    REQUIRE(gone.insert({plain(key), page}).second);
  });
  REQUIRE(gone == model.remove_if([&](const Plain& key) {
    return std::get<2>(key) == root;
  }));
}

void play(std::uint32_t seed) {
  CAPTURE(seed);
  std::mt19937 random(seed);
  const std::vector<std::uint64_t> frames = frames_that_meet(12);
  ShadowHash hash;
  Model model;
  for (PageId page = 1; page <= 1500; ++page) {
    const ShadowKey key{{frames[random() % frames.size()]},
                        mmu::level_of(random() % 3 + 1),
                        static_cast<std::uint8_t>(random() % 2)};
    const PageId found = hash.find(key);
    REQUIRE(found == model.find(key));
    REQUIRE(hash.max_collisions() == model.most);
    if (found == mmu::kNoPage) {
      hash.insert(key, page);
      model.insert(key, page);
    } else if (random() % 3 == 0) {
      REQUIRE(hash.remove(key) == found);
      model.remove_if([&](const Plain& other) { return other == plain(key); });
      REQUIRE(hash.remove(key) == mmu::kNoPage);
    }
    if (random() % 200 == 0) remove_root(hash, model, key.root);
    REQUIRE(hash.size() == model.all().size());
    if (page % 50 == 0) REQUIRE(all(hash) == model.all());
  }
}

}  // namespace

TEST_CASE("a shadow hash behaves like chains that are walked newest first") {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) play(seed);
}

TEST_CASE("pages of one frame at other levels and roots are no collisions") {
  ShadowHash hash;
  PageId page = 0;
  for (const std::uint8_t root : {0, 1}) {
    for (unsigned level = 1; level <= 4; ++level) {
      hash.insert({{0x40000}, mmu::level_of(level), root}, ++page);
    }
  }
  CHECK(hash.find({{0x40000}, Level::k4K, 0}) == 1);
  CHECK(hash.find({{0x40000}, Level::k256T, 0}) == mmu::kNoPage);
  CHECK(hash.max_collisions() == 0);
}

TEST_CASE("the most collisions stay known when the pages are gone") {
  const std::vector<std::uint64_t> frames = frames_that_meet(3);
  ShadowHash hash;
  for (std::size_t i = 4; i < frames.size(); ++i) {
    hash.insert({{frames[i]}, Level::k4K, 0}, static_cast<PageId>(i));
  }
  CHECK(hash.find({{frames[6]}, Level::k4K, 0}) == 6);
  CHECK(hash.max_collisions() == 0);
  CHECK(hash.find({{frames[4]}, Level::k4K, 0}) == 4);
  CHECK(hash.max_collisions() == 2);
  hash.remove_root(0, [](ShadowKey, PageId) {});
  CHECK(hash.size() == 0);
  CHECK(hash.find({{frames[4]}, Level::k4K, 0}) == mmu::kNoPage);
  CHECK(hash.max_collisions() == 2);
}
