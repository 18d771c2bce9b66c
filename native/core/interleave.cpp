// What others do while a fault is on its way: nothing in a replay, whose events
// come one by one; what a test says, where it wants a race.
#include "core/fault_steps.hpp"

namespace mmu {
namespace {

// Their events are not the fault's, whatever they leave in what is kept of the
// event that runs.
class Aside {
 public:
  explicit Aside(Mmu& mmu)
      : mmu_(mmu),
        event_(mmu.event),
        changed_(mmu.accounts.changed),
        flush_(mmu.flush.pause()) {
    mmu_.is_interleaving = true;
  }
  ~Aside() {
    mmu_.is_interleaving = false;
    mmu_.event = event_;
    mmu_.accounts.changed = changed_;
    mmu_.flush.resume(flush_);
  }
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;

 private:
  Mmu& mmu_;
  std::uint64_t event_;
  std::uint64_t changed_;
  TlbFlush::Paused flush_;
};

}  // namespace

// A copy is called, as the call may set another.
bool let_others_run(Mmu& mmu, InterleaveAt at) {
  if (!mmu.interleave || mmu.is_interleaving) return false;
  if (at != mmu.interleave_at) return false;
  const std::function<void()> others = mmu.interleave;
  const Aside aside(mmu);
  others();
  return true;
}

}  // namespace mmu
