#include "check/player.hpp"

namespace mmu::check {
namespace {

struct Apply {
  Machine& machine;

  std::optional<Error> operator()(const Event& event) const {
    return error_of(machine.step(event));
  }
  std::optional<Error> operator()(const MemslotRegion& region) const {
    return error_of(machine.set_memslot(region));
  }
  std::optional<Error> operator()(const MtrrWrite& write) const {
    return error_of(machine.set_mtrr(write.msr, write.value));
  }

 private:
  static std::optional<Error> error_of(const Result<Outcome>& result) {
    return result ? std::nullopt : std::optional(result.error());
  }
};

}  // namespace

std::optional<Error> apply(Machine& machine, const Operation& operation) {
  for (const Step& step : operation.steps) {
    std::optional<Error> error = std::visit(Apply{machine}, step);
    if (error && error->code == ErrorCode::kOutOfMemory) return error;
  }
  return std::nullopt;
}

Result<std::unique_ptr<Machine>> live(const World& world, Path path) {
  Result<std::unique_ptr<Machine>> machine = make_machine(world.config);
  if (!machine) return machine;
  for (const Step& step : world.setup) {
    if (auto error = std::visit(Apply{*machine.value()}, step)) return *error;
  }
  for (const std::uint8_t index : path) {
    if (auto error = apply(*machine.value(), world.operations[index])) {
      return *error;
    }
  }
  return machine;
}

}  // namespace mmu::check
