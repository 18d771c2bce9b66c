// The one translation unit that holds doctest's runner. Test files include
// <doctest/doctest.h> and nothing of this.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
