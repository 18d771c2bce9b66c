// Permission bytes of the guest's own entries, against worked values.
#include "core/guest_permissions.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <string>

namespace {

std::string text_of(mmu::GuestControls controls) {
  std::string text;
  for (const unsigned byte : mmu::permission_bytes(controls)) {
    char two[4];
    std::snprintf(two, sizeof two, "%02x ", byte);
    text += two;
  }
  text.pop_back();
  return text;
}

}  // namespace

TEST_CASE("A6: permission bytes by WP, SMEP, SMAP and NX, bit for bit") {
  CHECK(text_of({true, true, true, true}) ==
        "f0 f3 0f 3f 00 33 0f 3f f5 f7 5f 7f f5 f7 5f 7f");
  CHECK(text_of({false, true, true, true}) ==
        "f0 f0 0f 3f 00 00 0f 3f f5 f5 5f 7f f5 f5 5f 7f");
  CHECK(text_of({true, true, false, true}) ==
        "00 33 0f 3f 00 33 0f 3f f5 f7 5f 7f f5 f7 5f 7f");
  CHECK(text_of({true, false, false, true}) ==
        "00 33 0f 3f 00 33 0f 3f 55 77 5f 7f 55 77 5f 7f");
  CHECK(text_of({false, false, false, true}) ==
        "00 00 0f 3f 00 00 0f 3f 55 55 5f 7f 55 55 5f 7f");
  CHECK(text_of({false, false, false, false}) ==
        "00 00 0f 3f 00 00 0f 3f 00 00 0f 3f 00 00 0f 3f");
  CHECK(text_of(mmu::kEptControls) ==
        "00 33 0f 3f 00 33 0f 3f 55 77 5f 7f 55 77 5f 7f");
}
