// Recorded text: `trace`, `trace_pipe`, `trace-cmd report`, `perf script`,
// `perf trace`, `bpftrace -f json`, whatever layouts there are.
//
// Of all events kvm_page_fault makes rows. Everything else is counted by
// name, so that the result says what the replay has not seen.
#include <algorithm>
#include <optional>
#include <string>

#include "trace/fast_fault.hpp"
#include "trace/fault_rows.hpp"
#include "trace/format.hpp"
#include "trace/layout.hpp"
#include "trace/raw_line.hpp"

namespace mmu::trace {
namespace {

constexpr std::string_view kFaultEvent = "kvm_page_fault";
constexpr std::string_view kFaultText = "kvm_page_fault:";
constexpr std::string_view kNoEnd = "note: last line has no end";

// What is left of a cut number can be another number: "0x182", a write, ends
// as "0x1", a read. Recorders end every line, so one without an end is cut.
Mismatch cut_fault(const RawLine& raw) {
  return {raw.text.data() + raw.bytes,
          "the end of the line: the input stops inside a kvm_page_fault line"};
}

bool blank(std::string_view text) {
  return text.find_first_not_of(" \t") == std::string_view::npos;
}

class FtraceDecoder final : public Decoder {
 public:
  explicit FtraceDecoder(const DecodeOptions& options)
      : scan_(choose_scan(options.path)),
        rows_(totals_, find_vendor(options.vendor)) {}

  DecodeStep decode(std::span<const std::uint8_t> chunk, bool last,
                    EventSink& sink) override {
    DecodeStep step;
    const auto* const begin = reinterpret_cast<const char*>(chunk.data());
    while (step.consumed < chunk.size() && !full(sink)) {
      const char* const at = begin + step.consumed;
      if (scan_ && read_fast(scan_, at, begin + chunk.size(), fast_)) {
        if (const auto mismatch = rows_.take(fast_.line, fast_.fault, sink)) {
          fail(step, mismatch.at - at, mismatch);
          break;
        }
        pass(step, static_cast<std::size_t>(fast_.end - at));
        continue;
      }
      const RawLine line = next_line(at, chunk.size() - step.consumed, last);
      if (line.too_long) {
        fail(step, 0, {at, "a line of at most 1 MiB"});
        break;
      }
      if (line.bytes == 0) break;
      if (const Mismatch mismatch = take(line, sink)) {
        fail(step, mismatch.at - at, mismatch);
        break;
      }
      pass(step, line.bytes);
    }
    rows_.settle();
    return step;
  }

  const DecodeTotals& totals() const noexcept override { return totals_; }

 private:
  Mismatch take(const RawLine& raw, EventSink& sink) {
    const Mismatch mismatch = take_line(raw, sink);
    if (!mismatch && !raw.terminated) rows_.skip(kNoEnd);
    return mismatch;
  }

  Mismatch take_line(const RawLine& raw, EventSink& sink) {
    if (raw.text.starts_with('#')) return take_comment(raw.text);
    Line line;
    if (!parse_line(raw.text, line)) return take_other(raw);
    const std::string_view name = event_name(line);
    if (name == kFaultEvent) {
      if (!raw.terminated) return cut_fault(raw);
      return take_fault(line, sink);
    }
    // "kvm:" may be all that is left of "kvm:kvm_page_fault:".
    const bool may_be_cut = !raw.terminated && blank(event_fields(line));
    if (name.empty() || may_be_cut) return take_unnamed(raw, line);
    rows_.learn(name, line);
    rows_.skip(name);
    return {};
  }

  Mismatch take_fault(const Line& line, EventSink& sink) {
    Fault fault;
    const Mismatch mismatch = parse_fault(event_fields(line), fault);
    return mismatch ? mismatch : rows_.take(line, fault, sink);
  }

  Mismatch take_comment(std::string_view text) {
    rows_.lose(overwritten_events(text));
    // A marker changes the VM, and text has no events for it: say so.
    rows_.skip(text.starts_with("# marker ") ? "marker" : "comment");
    return {};
  }

  Mismatch take_unnamed(const RawLine& raw, const Line& line) {
    if (const auto lost = lost_events(raw.text)) {
      rows_.lose(*lost);
    } else if (line.event.starts_with('<')) {  // "<stack trace>"
      rows_.skip("stack trace");
    } else {
      return take_unknown(raw);
    }
    return {};
  }

  Mismatch take_other(const RawLine& raw) {
    if (blank(raw.text)) {
      // The padding before a task, if the trace was cut there.
      if (!raw.terminated) return take_unknown(raw);
      rows_.skip("blank");
    } else if (const auto lost = lost_events(raw.text)) {
      rows_.lose(*lost);
    } else if (const std::string noise = noise_in(raw.text); !noise.empty()) {
      rows_.skip(noise);
    } else {
      return take_unknown(raw);
    }
    return {};
  }

  // Garbage between lines is counted. A fault that garbage has hit is not
  // garbage, and neither is the end of a trace that was cut.
  Mismatch take_unknown(const RawLine& raw) {
    const char* const begin = raw.text.data();
    if (raw.text.find(kFaultText) != std::string_view::npos) {
      if (!raw.terminated) return cut_fault(raw);
      return {begin, "a task, [cpu] and timestamp before the event"};
    }
    if (!raw.terminated) return {begin + raw.bytes, "the rest of a line"};
    rows_.skip("unrecognised");
    return {};
  }

  void fail(DecodeStep& step, std::ptrdiff_t column,
            const Mismatch& mismatch) const {
    const auto offset = static_cast<std::uint64_t>(column);
    step.failed = true;
    step.error.code = ErrorCode::kTrace;
    step.error.values[0] = {"offset", totals_.bytes + offset};
    step.error.values[1] = {"line", lines_ + 1};
    step.error.detail = mismatch.describe();
  }

  void pass(DecodeStep& step, std::size_t bytes) {
    ++lines_;
    totals_.bytes += bytes;
    step.consumed += bytes;
  }

  LineScan scan_;
  FastLine fast_;
  DecodeTotals totals_;
  FaultRows rows_;
  std::uint64_t lines_ = 0;
};

// How much of a trace detection reads: a tracefs header is twelve lines.
constexpr std::size_t kDetectBytes = std::size_t{64} << 10;

bool claims_text(std::string_view text) {
  if (text.starts_with("# tracer:")) return true;
  while (!text.empty()) {
    const RawLine raw = next_line(text.data(), text.size(), true);
    if (!raw.text.starts_with('#') && claims_line(raw.text)) return true;
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
    .summary = "text of tracefs, trace-cmd, perf or bpftrace with "
               "kvm_page_fault lines",
    .claims = claims_ftrace,
    .make = [](const DecodeOptions& options) -> std::unique_ptr<Decoder> {
      return std::make_unique<FtraceDecoder>(options);
    },
});

}  // namespace
}  // namespace mmu::trace
