#include "check/snapshot.hpp"

#include <algorithm>

#include "core/digest.hpp"

namespace mmu::check {
namespace {

// "gpalchk" and the number of the layout.
constexpr std::uint64_t kMagic = 0x6770616c63686b01;

std::uint64_t digest_of(std::span<const std::uint64_t> words) {
  Digest digest;
  for (const std::uint64_t word : words) digest.add(word);
  return digest.value().low;
}

std::uint64_t word_of(const Node& node) {
  return node.parent | std::uint64_t{node.operation} << 32 |
         std::uint64_t{node.depth} << 40 |
         std::uint64_t{node.is_lopsided} << 48;
}

Node node_of(std::uint64_t word) {
  return {static_cast<std::uint32_t>(word),
          static_cast<std::uint8_t>(word >> 32),
          static_cast<std::uint8_t>(word >> 40), (word >> 48 & 1) != 0};
}

// Words from front to back; reading past the end gives zeros and is noted.
class Reader {
 public:
  explicit Reader(std::span<const std::uint64_t> words) : words_(words) {}

  std::uint64_t take() {
    if (words_.empty()) {
      is_short_ = true;
      return 0;
    }
    const std::uint64_t word = words_.front();
    words_ = words_.subspan(1);
    return word;
  }
  // How many of so many words each follow; never more than there are.
  std::size_t take_count(std::size_t each) {
    const std::uint64_t count = take();
    if (count > words_.size() / each) is_short_ = true;
    return is_short_ ? 0 : static_cast<std::size_t>(count);
  }
  bool is_whole() const { return !is_short_ && words_.empty(); }

 private:
  std::span<const std::uint64_t> words_;
  bool is_short_ = false;
};

// A path is its length and its operations, a word each: there are few.
void read_found(Reader& reader, Snapshot& into) {
  const std::size_t count = reader.take_count(1);
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::uint8_t>& path = into.found.emplace_back();
    const std::size_t length = reader.take_count(1);
    for (std::size_t at = 0; at < length; ++at) {
      path.push_back(static_cast<std::uint8_t>(reader.take()));
    }
  }
}

void read(Reader& reader, Snapshot& into) {
  into.next = static_cast<std::uint32_t>(reader.take());
  into.transitions = reader.take();
  into.spared = reader.take();
  into.covered = static_cast<std::uint8_t>(reader.take());
  into.end = static_cast<std::uint8_t>(reader.take());
  into.nodes.resize(reader.take_count(1));
  for (Node& node : into.nodes) node = node_of(reader.take());
  into.known.resize(reader.take_count(2));
  for (Fingerprint& state : into.known) {
    state.low = reader.take();
    state.high = reader.take();
  }
  read_found(reader, into);
}

// Parents come first, and every step is one deeper.
bool are_paths(const std::vector<Node>& nodes, const SnapshotLimits& limits) {
  if (nodes.empty() || nodes.front().parent != kNoParent) return false;
  if (nodes.front().depth != 0) return false;
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    const bool is_step = node.parent < i && node.operation < limits.operations;
    if (!is_step || node.depth != nodes[node.parent].depth + 1u) return false;
    const bool is_in_order = i == 1 || node.parent >= nodes[i - 1].parent;
    if (!is_in_order || node.depth >= limits.depth) return false;
  }
  return true;
}

bool are_steps(const std::vector<std::uint8_t>& path,
               const SnapshotLimits& limits) {
  return !path.empty() && path.size() <= limits.depth &&
         std::ranges::all_of(
             path, [&](std::uint8_t step) { return step < limits.operations; });
}

}  // namespace

std::vector<std::uint64_t> pack(const Snapshot& snapshot) {
  std::vector<std::uint64_t> words{
      kMagic,           snapshot.next, snapshot.transitions, snapshot.spared,
      snapshot.covered, snapshot.end,  snapshot.nodes.size()};
  for (const Node& node : snapshot.nodes) words.push_back(word_of(node));
  words.push_back(snapshot.known.size());
  for (const Fingerprint& state : snapshot.known) {
    words.push_back(state.low);
    words.push_back(state.high);
  }
  words.push_back(snapshot.found.size());
  for (const std::vector<std::uint8_t>& path : snapshot.found) {
    words.push_back(path.size());
    words.insert(words.end(), path.begin(), path.end());
  }
  words.push_back(digest_of(words));
  return words;
}

std::optional<std::string> unpack(std::span<const std::uint64_t> words,
                                  const SnapshotLimits& limits,
                                  Snapshot& into) {
  if (words.size() < 2 || words.front() != kMagic) {
    return "it is no exploration that this version has put aside";
  }
  const auto body = words.first(words.size() - 1);
  if (digest_of(body) != words.back()) return "it is damaged or cut short";
  Reader reader(body.subspan(1));
  read(reader, into);
  const bool is_sound =
      reader.is_whole() && are_paths(into.nodes, limits) &&
      into.next <= into.nodes.size() && into.nodes.size() <= limits.states &&
      into.known.size() >= into.nodes.size() && into.end < limits.ends &&
      into.covered <= limits.depth &&
      std::ranges::all_of(
          into.found,
          [&](const auto& path) { return are_steps(path, limits); });
  if (!is_sound)
    return "it is of another world, or not what an explorer writes";
  return std::nullopt;
}

}  // namespace mmu::check
