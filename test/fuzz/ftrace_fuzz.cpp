// libFuzzer entry point of recorded text: its tokenizer and every layout.
#include "decoder_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  return mmu::trace::test::fuzz_decoder("ftrace", data, size);
}
