#include "bench/trial.hpp"

#include <algorithm>

namespace mmu::bench {
namespace {

constinit const Enlisted* newest = nullptr;

}  // namespace

Enlisted::Enlisted(Add add) : add_(add), next_(newest) { newest = this; }

std::vector<Trial> trials() {
  std::vector<Trial> all;
  for (const Enlisted* each = newest; each != nullptr; each = each->next_) {
    each->add_(all);
  }
  std::ranges::sort(all, {}, &Trial::name);
  return all;
}

}  // namespace mmu::bench
