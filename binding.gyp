# The build that users get. CMakeLists.txt compiles the same list with the same
# flags, so a flag changed here changes there too.
{
  "variables": {
    # A value of -fsanitize=, for example: node-gyp rebuild --mmu_sanitize=address
    # (gyp keeps the name "asan" for itself).
    "mmu_sanitize%": "",
  },
  "targets": [
    {
      "target_name": "gpalias",
      "sources": ["<!@(node native/sources.mjs)"],
      "include_dirs": [
        "native",
        "<!(node -p \"require('node-addon-api').include_dir\")",
      ],
      "defines": [
        "NAPI_VERSION=8",
        "NODE_ADDON_API_DISABLE_DEPRECATED",
        "NODE_ADDON_API_CPP_EXCEPTIONS",
      ],
      # Node's own defaults, which C++20 and node-addon-api's exceptions need gone.
      "cflags_cc!": [
        "-std=gnu++17",
        "-std=gnu++20",
        "-fno-exceptions",
        "-fno-rtti",
      ],
      # No -march: a build must run on any x86-64. Wider paths are chosen at run time.
      "cflags_cc": [
        "-std=c++20",
        "-O3",
        "-Wall",
        "-Wextra",
        "-fvisibility=hidden",
        "-fno-plt",
      ],
      "configurations": {
        "Release": {"defines": ["NDEBUG"]},
      },
      "conditions": [
        [
          "mmu_sanitize!=''",
          {
            "cflags_cc": [
              "-fsanitize=<(mmu_sanitize)",
              "-fno-omit-frame-pointer",
            ],
            "ldflags": ["-fsanitize=<(mmu_sanitize)"],
          },
        ],
      ],
    },
  ],
}
