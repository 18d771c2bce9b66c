// One engine with every fault in it, each behind a question: built once, and
// asked by the environment which of them it has (GPALIAS_FAULT, counted from 1;
// 0 or nothing: none).
import { changedOnce } from "../engine-copy.mjs";
import { faults } from "./list.mjs";

export const HEADER = "native/core/fault_is.hpp";

export const HEADER_TEXT = `#pragma once
#include <cstdlib>
namespace mmu {
inline const unsigned long chosen_fault = [] {
  const char* number = std::getenv("GPALIAS_FAULT");
  return number == nullptr ? 0 : std::strtoul(number, nullptr, 10);
}();
inline bool fault_is(unsigned long number) { return chosen_fault == number; }
}  // namespace mmu
`;

/**
 * The files that change, by path, given a reader of the sound ones.
 * @throws Error that names the fault whose place is not there, or not only once
 */
export function weave(read) {
  const texts = new Map();
  faults.forEach((fault, index) => {
    const { file, replace } = fault;
    const asked = replace.replaceAll("FAULT", `::mmu::fault_is(${index + 1})`);
    texts.set(file, changedOnce(texts.get(file) ?? read(file), fault, asked));
  });
  for (const [file, text] of texts) texts.set(file, withHeader(text));
  return texts;
}

const withHeader = (text) => text.replace(/^#include "/m, () => '#include "core/fault_is.hpp"\n#include "');
