#include "observe/thread.hpp"

#include "trace/text_reader.hpp"

namespace mmu::observe {
namespace {

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && trace::is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

std::uint32_t thread_of(std::string_view task) {
  task = without_blanks(task);
  if (task.ends_with(')'))
    task = without_blanks(task.substr(0, task.rfind('(')));
  std::size_t at = task.size();
  while (at != 0 && trace::is_digit(task[at - 1])) --at;
  if (at == 0 || (task[at - 1] != '-' && !trace::is_blank(task[at - 1]))) {
    return 0;
  }
  std::uint64_t number = 0;
  trace::TextReader reader(task.substr(at));
  reader.decimal(number);
  return reader.finish().mismatch() ? 0 : static_cast<std::uint32_t>(number);
}

}  // namespace mmu::observe
