// tracefs text: `trace`, `trace_pipe`, `trace-cmd report`, `perf script`.
//
// Of all events kvm_page_fault makes rows. Everything else is counted by
// name, so that the result says what the replay has not seen.
#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include "trace/format.hpp"
#include "trace/ftrace_fault.hpp"
#include "trace/ftrace_line.hpp"
#include "trace/row.hpp"
#include "trace/skip_counts.hpp"

namespace mmu::trace {
namespace {

constexpr std::size_t kMaxLineBytes = std::size_t{1} << 20;
constexpr std::string_view kFaultEvent = "kvm_page_fault";
constexpr std::string_view kFaultStart = "kvm_page_fault: ";

// Keys of `skipped` that are about rows which were made all the same.
constexpr std::string_view kVcpuUnknown = "note: vcpu unknown";
constexpr std::string_view kNoSeconds = "note: timestamp not in seconds";

struct RawLine {
  std::string_view text;   // without its end
  std::size_t bytes = 0;   // with it; 0 if the chunk ends too early
  bool terminated = true;  // false if the trace stops before its end
  bool too_long = false;
};

// The one place that looks for line ends: a faster scanner goes here.
RawLine next_line(const char* at, std::size_t size, bool last) {
  const auto* newline = static_cast<const char*>(std::memchr(at, '\n', size));
  const std::size_t length =
      newline ? static_cast<std::size_t>(newline - at) : size;
  RawLine line;
  line.too_long = length > kMaxLineBytes;
  if (!newline && !last) return line;
  line.text = {at, length};
  line.bytes = length + (newline ? 1 : 0);
  line.terminated = newline != nullptr;
  if (line.text.ends_with('\r')) line.text.remove_suffix(1);
  return line;
}

// What is left of a cut number can be another number: "0x182", a write, ends
// as "0x1", a read. Recorders end every line, so one without an end is cut.
Mismatch cut_fault(const RawLine& raw) {
  return {raw.text.data() + raw.bytes,
          "the end of the line: the input stops inside a kvm_page_fault line"};
}

bool blank(std::string_view text) {
  return text.find_first_not_of(" \t") == std::string_view::npos;
}

// Why a line that holds no event is harmless; empty if nothing is known of it.
std::string_view known_noise(std::string_view text) {
  text.remove_prefix(text.find_first_not_of(" \t"));
  if (text.starts_with("=>")) return "stack trace";
  if (text.starts_with("cpus=") || text.starts_with("version = ")) {
    return "header";
  }
  if (text.starts_with("CPU ") && text.ends_with(" is empty")) return "header";
  return {};
}

class FtraceDecoder final : public Decoder {
 public:
  DecodeStep decode(std::span<const std::uint8_t> chunk, bool last,
                    EventSink& sink) override {
    DecodeStep step;
    const auto* const begin = reinterpret_cast<const char*>(chunk.data());
    while (step.consumed < chunk.size() && !full(sink)) {
      const char* const at = begin + step.consumed;
      const RawLine line = next_line(at, chunk.size() - step.consumed, last);
      if (line.too_long) {
        return fail(step, 0, {at, "a line of at most 1 MiB"});
      }
      if (line.bytes == 0) break;
      if (const Mismatch mismatch = take(line, sink)) {
        return fail(step, mismatch.at - at, mismatch);
      }
      ++lines_;
      totals_.bytes += line.bytes;
      step.consumed += line.bytes;
    }
    return step;
  }

  const DecodeTotals& totals() const noexcept override { return totals_; }

 private:
  Mismatch take(const RawLine& raw, EventSink& sink) {
    const std::string_view text = raw.text;
    if (text.starts_with('#')) return take_comment(text);
    Line line;
    if (!parse_line(text, line)) return take_other(raw);
    if (line.event.starts_with(kFaultStart)) {
      if (!raw.terminated) return cut_fault(raw);
      return take_fault(line, line.event.substr(kFaultStart.size()), sink);
    }
    const std::string_view name = event_name(line);
    if (name == kFaultEvent) {
      if (!raw.terminated) return cut_fault(raw);
      // perf's "kvm:" comes first: what follows is the same.
      const std::size_t start = line.event.find(kFaultEvent);
      const std::size_t colon = start + kFaultEvent.size();
      return take_fault(line, line.event.substr(colon + 1), sink);
    }
    if (name.empty()) return take_unnamed(raw, line.event);
    skipped_.add(name);
    return {};
  }

  Mismatch take_fault(const Line& line, std::string_view fields,
                      EventSink& sink) {
    Fault fault;
    if (const Mismatch mismatch = parse_fault(fields, fault)) return mismatch;
    Row row;
    row.gpa = fault.gpa;
    row.error_code = fault.error_code;
    row.rip = fault.rip;
    row.access = fault.access;
    row.vcpu = fault.names_vcpu ? static_cast<std::uint16_t>(fault.vcpu)
                                : vcpu_from_task(line.task);
    if (line.decimals == 0) skipped_.add(kNoSeconds);
    if (sink.time != nullptr) row.time = line.seconds();
    append(sink, row);
    ++totals_.records;
    return {};
  }

  std::uint16_t vcpu_from_task(std::string_view task) {
    const std::optional<std::uint16_t> vcpu = vcpu_of_task(task);
    if (!vcpu) skipped_.add(kVcpuUnknown);
    return vcpu.value_or(0);
  }

  Mismatch take_comment(std::string_view text) {
    totals_.lost += overwritten_events(text);
    // A marker changes the VM, and text has no events for it: say so.
    skipped_.add(text.starts_with("# marker ") ? "marker" : "comment");
    return {};
  }

  Mismatch take_unnamed(const RawLine& raw, std::string_view event) {
    if (event.starts_with('<')) {  // "<stack trace>", "<user stack trace>"
      skipped_.add("stack trace");
      return {};
    }
    return take_unknown(raw);
  }

  Mismatch take_other(const RawLine& raw) {
    if (blank(raw.text)) {
      // The padding before a task, if the trace was cut there.
      if (!raw.terminated) return take_unknown(raw);
      skipped_.add("blank");
    } else if (const auto lost = lost_events(raw.text)) {
      totals_.lost += *lost;
    } else if (const auto noise = known_noise(raw.text); !noise.empty()) {
      skipped_.add(noise);
    } else {
      return take_unknown(raw);
    }
    return {};
  }

  // Garbage between lines is counted. A fault that garbage has hit is not
  // garbage, and neither is the end of a trace that was cut.
  Mismatch take_unknown(const RawLine& raw) {
    const char* const begin = raw.text.data();
    if (raw.text.find("kvm_page_fault:") != std::string_view::npos) {
      return {begin, "a task, [cpu] and timestamp before the event"};
    }
    if (!raw.terminated) return {begin + raw.bytes, "the rest of a line"};
    skipped_.add("unrecognised");
    return {};
  }

  DecodeStep& fail(DecodeStep& step, std::ptrdiff_t column,
                   const Mismatch& mismatch) const {
    const auto offset = static_cast<std::uint64_t>(column);
    step.failed = true;
    step.error.code = ErrorCode::kTrace;
    step.error.values[0] = {"offset", totals_.bytes + offset};
    step.error.values[1] = {"line", lines_ + 1};
    step.error.detail = mismatch.describe();
    return step;
  }

  DecodeTotals totals_;
  SkipCounts skipped_{totals_.skipped};
  std::uint64_t lines_ = 0;
};

// How much of a trace detection reads: a tracefs header is twelve lines.
constexpr std::size_t kDetectBytes = std::size_t{64} << 10;

bool claims_text(std::string_view text) {
  if (text.starts_with("# tracer:")) return true;
  Line line;
  while (!text.empty()) {
    const RawLine raw = next_line(text.data(), text.size(), true);
    if (!raw.text.starts_with('#') && parse_line(raw.text, line)) return true;
    text.remove_prefix(raw.bytes);
  }
  return false;
}

bool claims_ftrace(std::span<const std::uint8_t> head) noexcept {
  const auto* const bytes = reinterpret_cast<const char*>(head.data());
  const std::string_view text(bytes, std::min(head.size(), kDetectBytes));
  return text.find('\0') == std::string_view::npos && claims_text(text);
}

const FormatEntry entry({
    .name = "ftrace",
    .summary = "tracefs text with kvm_page_fault lines, Intel",
    .claims = claims_ftrace,
    .make = []() -> std::unique_ptr<Decoder> {
      return std::make_unique<FtraceDecoder>();
    },
});

}  // namespace
}  // namespace mmu::trace
