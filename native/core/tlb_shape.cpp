#include "core/tlb_shape.hpp"

#include <algorithm>
#include <numeric>
#include <string>

namespace mmu {
namespace {

Error refuse(TlbGeometry geometry, const std::string& expected) {
  return {ErrorCode::kConfig,
          {{{"entries", geometry.entries}, {"ways", geometry.ways}}},
          "a TLB of " + std::to_string(geometry.entries) + " entries in " +
              std::to_string(geometry.ways) + " ways must have " + expected};
}

std::optional<Error> refuse_array(const TlbGeometry& geometry) {
  if (geometry.ways < 1 || geometry.ways > TlbGeometry::kMostWays) {
    return refuse(geometry,
                  "1 to " + std::to_string(TlbGeometry::kMostWays) + " ways");
  }
  if (geometry.entries < 1 || geometry.entries > TlbGeometry::kMostEntries) {
    return refuse(
        geometry,
        "1 to " + std::to_string(TlbGeometry::kMostEntries) + " entries");
  }
  if (geometry.entries % geometry.ways != 0) {
    return refuse(geometry, "a multiple of its ways as entries");
  }
  constexpr unsigned kAll =
      TlbGeometry::k4K | TlbGeometry::k2M | TlbGeometry::k1G;
  if ((geometry.sizes & kAll) == 0 || (geometry.sizes & ~kAll) != 0) {
    return refuse(geometry, "page sizes of 4K, 2M and 1G");
  }
  return std::nullopt;
}

Error refuse_all(const char* what, std::uint64_t count,
                 const std::string& expected) {
  return {ErrorCode::kConfig, {{{what, count}}}, "a TLB must have " + expected};
}

}  // namespace

std::uint64_t TlbShape::entries() const {
  std::uint64_t sum = std::accumulate(links.begin(), links.end(), 0u);
  for (const TlbGeometry& array : arrays) sum += array.entries;
  return sum;
}

std::optional<Error> refuse_shape(const TlbShape& shape) {
  if (shape.arrays.size() > TlbShape::kMostArrays || !shape.exists()) {
    return refuse_all(
        "arrays", shape.arrays.size(),
        "1 to " + std::to_string(TlbShape::kMostArrays) + " arrays");
  }
  for (const TlbGeometry& array : shape.arrays) {
    if (auto error = refuse_array(array)) return error;
  }
  // Whatever a leaf's size, there is something that can hold a part of it.
  if (std::ranges::none_of(shape.arrays, [](const TlbGeometry& array) {
        return array.holds(TlbGeometry::k4K);
      })) {
    return refuse_all("arrays", shape.arrays.size(),
                      "an array that holds 4K pages");
  }
  for (const unsigned links : shape.links) {
    if (links <= TlbShape::kMostLinks) continue;
    return refuse_all("links", links,
                      "at most " + std::to_string(TlbShape::kMostLinks) +
                          " entries in each paging-structure cache");
  }
  return std::nullopt;
}

}  // namespace mmu
