#include "check/explorer.hpp"

#include <algorithm>
#include <new>

#include "check/player.hpp"
#include "core/lazy_memory.hpp"

namespace mmu::check {
namespace {

// Violations and advisories.
std::vector<ViolationView> fired(const Machine& machine) {
  std::vector<ViolationView> all = machine.violations();
  const std::vector<ViolationView> more = machine.advisories();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

ViolationView seen_by_audit(const AuditFinding& finding) {
  return {.rule = finding.rule,
          .defect = finding.defect,
          .reason = finding.reason,
          .gpa = finding.place ? finding.place->gpa : 0};
}

Error out_of_memory(std::uint64_t states) {
  return {ErrorCode::kOutOfMemory,
          {{{"states", states}}},
          "no memory for more than " + std::to_string(states) + " states"};
}

}  // namespace

Result<Explorer> Explorer::begin(World world, const Bound& bound) {
  try {
    auto first = live(world, {});
    if (!first) return first.error();
    Explorer explorer(std::move(world), bound);
    explorer.known_.insert(first.value()->fingerprint());
    explorer.nodes_.push_back({kNoParent, 0, 0, false});
    explorer.answer_.states = 1;
    return explorer;
  } catch (const std::bad_alloc&) {
    return out_of_memory(0);
  }
}

std::optional<Error> Explorer::advance(std::uint64_t transitions) {
  const std::uint64_t until = answer_.transitions + transitions;
  const KeptMemory kept;
  try {
    while (answer_.end == End::kNotYet && answer_.transitions < until) {
      const bool is_last =
          next_ == nodes_.size() || nodes_[next_].depth == bound_.operations;
      // Where no state is left to go on from, more operations change nothing.
      answer_.covered = is_last ? bound_.operations : nodes_[next_].depth;
      if (is_last) {
        answer_.end = End::kComplete;
      } else if (auto error = expand(next_)) {
        return error;
      } else {
        ++next_;
      }
    }
    return std::nullopt;
  } catch (const std::bad_alloc&) {
    return out_of_memory(answer_.states);
  }
}

std::vector<std::uint64_t> Explorer::save() const {
  Snapshot snapshot{.next = next_,
                    .transitions = answer_.transitions,
                    .spared = answer_.spared,
                    .covered = static_cast<std::uint8_t>(answer_.covered),
                    .end = static_cast<std::uint8_t>(answer_.end),
                    .nodes = nodes_,
                    .known = {},
                    .found = {}};
  known_.each([&](Fingerprint state) { snapshot.known.push_back(state); });
  for (const Found& found : answer_.found) snapshot.found.push_back(found.path);
  return pack(snapshot);
}

std::optional<Error> Explorer::restore(std::span<const std::uint64_t> words) {
  try {
    const SnapshotLimits limits{.operations = world_.operations.size(),
                                .depth = bound_.operations,
                                .states = bound_.states,
                                .ends = 1 + static_cast<int>(End::kLast)};
    Snapshot snapshot;
    if (auto flaw = unpack(words, limits, snapshot)) {
      return Error{ErrorCode::kConfig, {}, *std::move(flaw)};
    }
    Explorer restored(world_, bound_);
    for (const auto& path : snapshot.found) {
      if (auto error = restored.find_again(path)) return error;
    }
    for (const Fingerprint& state : snapshot.known) {
      restored.known_.insert(state);
    }
    restored.nodes_ = std::move(snapshot.nodes);
    restored.next_ = snapshot.next;
    restored.answer_.states = restored.nodes_.size();
    restored.answer_.transitions = snapshot.transitions;
    restored.answer_.spared = snapshot.spared;
    restored.answer_.covered = snapshot.covered;
    restored.answer_.end = static_cast<End>(snapshot.end);
    *this = std::move(restored);
    return std::nullopt;
  } catch (const std::bad_alloc&) {
    return out_of_memory(answer_.states);
  }
}

// Lives a path to something that was found, and finds it.
std::optional<Error> Explorer::find_again(
    const std::vector<std::uint8_t>& path) {
  std::vector<std::uint8_t> before = path;
  before.pop_back();
  auto machine = live(world_, before);
  if (!machine) return machine.error();
  if (auto error = take(*machine.value(), before, path.back())) return error;
  audit(*machine.value(), before, path.back());
  return std::nullopt;
}

std::optional<Error> Explorer::expand(std::uint32_t at) {
  const Node node = nodes_[at];
  const std::vector<std::uint8_t> path = path_to(at);
  commuting_.begin(at, node.parent);
  std::unique_ptr<Machine> machine;
  StateParts before;
  for (std::size_t i = 0; i < world_.operations.size(); ++i) {
    const auto operation = static_cast<std::uint8_t>(i);
    if (is_image(at, operation)) continue;
    if (is_spared(at, operation)) {
      ++answer_.spared;
      continue;
    }
    if (machine == nullptr) {
      auto lived = live(world_, path);
      if (!lived) return lived.error();
      machine = std::move(lived.value());
      before = machine->state_parts();
    }
    if (auto error = take(*machine, path, operation)) return error;
    const StateParts after = machine->state_parts();
    commuting_.tried(operation, before, after);
    const bool is_new = after != before && is_met_first(after, node.depth + 1u);
    if (is_new || bound_.audits_all) audit(*machine, path, operation);
    if (after == before) continue;
    machine.reset();
    if (is_new) keep(at, operation);
    if (answer_.end != End::kNotYet) break;
  }
  return std::nullopt;
}

bool Explorer::is_image(std::uint32_t at, std::uint8_t operation) const {
  return world_.operations[operation].symmetry == Symmetry::kSecond &&
         !nodes_[at].is_lopsided;
}

bool Explorer::is_spared(std::uint32_t at, std::uint8_t operation) const {
  const Node& node = nodes_[at];
  if (!bound_.reduces || node.parent == kNoParent) return false;
  return commuting_.spares(node.parent, node.operation, operation);
}

std::optional<Error> Explorer::take(Machine& machine,
                                    const std::vector<std::uint8_t>& path,
                                    std::uint8_t operation) {
  const std::vector<ViolationView> before = fired(machine);
  if (auto error = apply(machine, world_.operations[operation])) return error;
  ++answer_.transitions;
  for (const ViolationView& now : fired(machine)) {
    const auto old = std::ranges::find(before, now.rule, &ViolationView::rule);
    const bool is_new = old == before.end() || old->count < now.count;
    if (is_new) note(now, path, operation);
  }
  return std::nullopt;
}

void Explorer::audit(const Machine& machine,
                     const std::vector<std::uint8_t>& path,
                     std::uint8_t operation) {
  const AuditReport report = machine.audit();
  for (const AuditFinding& each : report.findings) {
    note(seen_by_audit(each), path, operation);
  }
}

void Explorer::note(const ViolationView& seen,
                    const std::vector<std::uint8_t>& path,
                    std::uint8_t operation) {
  for (const Found& found : answer_.found) {
    if (found.rule == seen.rule) return;
  }
  Found found{std::string(seen.rule), std::string(seen.defect),
              std::string(seen.reason), seen.gpa, path};
  found.path.push_back(operation);
  answer_.found.push_back(std::move(found));
}

// Of the last states nothing is kept but that they were met; past the bound on
// memory not even that.
bool Explorer::is_met_first(const StateParts& state, unsigned depth) {
  const bool is_last = depth == bound_.operations;
  if (is_last && known_.size() >= 2 * bound_.states) return true;
  return known_.insert(fingerprint(state));
}

void Explorer::keep(std::uint32_t parent, std::uint8_t operation) {
  const Node& from = nodes_[parent];
  if (from.depth + 1u == bound_.operations) return;
  if (nodes_.size() >= bound_.states) {
    answer_.end = End::kTooManyStates;
    return;
  }
  const bool is_lopsided =
      from.is_lopsided ||
      world_.operations[operation].symmetry != Symmetry::kNone;
  nodes_.push_back({parent, operation,
                    static_cast<std::uint8_t>(from.depth + 1), is_lopsided});
  answer_.states = nodes_.size();
}

std::vector<std::uint8_t> Explorer::path_to(std::uint32_t at) const {
  std::vector<std::uint8_t> path;
  for (; nodes_[at].parent != kNoParent; at = nodes_[at].parent) {
    path.push_back(nodes_[at].operation);
  }
  std::ranges::reverse(path);
  return path;
}

}  // namespace mmu::check
