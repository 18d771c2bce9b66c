#include "core/tracepoints/tracing.hpp"

namespace mmu {
namespace {

Error no_memory() {
  return {ErrorCode::kOutOfMemory,
          {{{"bytes", 0}, {"limit", Tracing::kTextBytes}}},
          "no memory for the text of a trace"};
}

}  // namespace

// A reverse map observes its own tables, and they have no such tracepoint.
std::optional<Error> Tracing::set(Mmu& mmu,
                                  std::optional<TraceRelease> release) {
  std::unique_ptr<Tracer> tracer;
  TextTrace* text = nullptr;
  if (release) {
    const TraceLayout& layout = layout_of(*release);
    auto sink = std::make_unique<TextTrace>(layout, mmu.config);
    if (!sink->reserve(kTextBytes)) return no_memory();
    text = sink.get();
    tracer = std::make_unique<Tracer>(mmu, std::move(sink), layout);
  }
  if (mmu.config.mmu == Flavour::kTdp) {
    for (PageTable& tree : mmu.trees) tree.trace(tracer.get());
  }
  mmu.trace = std::move(tracer);
  text_ = text;
  return std::nullopt;
}

}  // namespace mmu
