// A VM that is traced, and the lines that it printed.
#pragma once

#include <sstream>

#include "world.hpp"

namespace traced {

inline constexpr std::uint64_t kPage = 4096;
inline constexpr std::uint64_t kMmio = 0xfee00000;

inline mmu::MachineConfig config_of(mmu::Kernel kernel = mmu::Kernel::k616,
                                    mmu::Vendor vendor = mmu::Vendor::kIntel,
                                    mmu::Flavour flavour = mmu::Flavour::kTdp) {
  mmu::MachineConfig config;
  config.kernel = kernel;
  config.host.vendor = vendor;
  config.mmu = flavour;
  config.vcpus = 2;
  return config;
}

inline std::unique_ptr<mmu::Machine> vm(
    const mmu::MachineConfig& config,
    mmu::TraceRelease release = mmu::TraceRelease::k616) {
  auto made = world::vm(config);
  REQUIRE_FALSE(made->set_trace(release));
  return made;
}

// The text of each line behind its time.
inline std::vector<std::string> lines(mmu::Machine& vm) {
  std::istringstream text(vm.take_trace());
  std::vector<std::string> all;
  for (std::string line; std::getline(text, line);) {
    const auto time = line.find(": ");
    all.push_back(time == std::string::npos ? line : line.substr(time + 2));
  }
  return all;
}

inline std::vector<std::string> only(std::vector<std::string> all,
                                     const char* name) {
  std::erase_if(all, [&](const std::string& line) {
    return !line.starts_with(std::string(name) + ":");
  });
  return all;
}

inline std::vector<std::string> names(const std::vector<std::string>& all) {
  std::vector<std::string> words;
  for (const std::string& line : all)
    words.push_back(line.substr(0, line.find(':')));
  return words;
}

using Words = std::vector<std::string>;

}  // namespace traced
