// libFuzzer entry point of the reader of tracepoints.
//
// The first two bytes of an input choose where it is cut and how many rows fit
// a block; the rest is read twice, whole and cut, and both must agree. Nothing
// is ever refused, so every byte is consumed.
#define DOCTEST_CONFIG_DISABLE  // the rows are shared with tests, no test is
#include "../native/observed_rows.hpp"

namespace {

using mmu::observe::Observer;
using mmu::observe::test::rows_of;

void require(bool holds) {
  if (!holds) std::abort();
}

bool same(const Observer& a, const Observer& b) {
  return a.totals().bytes == b.totals().bytes &&
         a.totals().lines == b.totals().lines &&
         a.totals().events == b.totals().events &&
         a.totals().skipped == b.totals().skipped &&
         a.totals().malformed.size() == b.totals().malformed.size() &&
         a.texts().all() == b.texts().all();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 2),
                              size - 2);
  Observer whole;
  Observer cut;
  const auto rows = rows_of(text, whole, std::max<std::size_t>(1, text.size()),
                            std::size_t{1} + data[1]);
  require(rows == rows_of(text, cut, std::size_t{1} + data[0],
                          std::size_t{1} + data[1]));
  require(same(whole, cut));
  require(whole.totals().bytes == text.size());
  require(whole.totals().events == rows.size());
  return 0;
}
