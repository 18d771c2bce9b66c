// The columns that cross every boundary: events in, outcomes out.
//
// A batch is one block of memory per direction. Columns follow each other,
// widest element first, so that each is aligned when the block is; column c
// of a batch with `capacity` rows starts at capacity times the sum of the
// widths before it. This file is the only home of that layout: the addon
// exports the tables below and the TypeScript side builds its views from
// them. A change of any column is a new kLayoutVersion.
//
// Addresses are IEEE doubles, which hold 52 bits and one more without rounding;
// a script reads one thirty times faster than a 64-bit integer
// (docs/decisions/0001). The engine checks each of them once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace mmu {

inline constexpr unsigned kLayoutVersion = 3;

// What happens to the VM. Accesses come from vCPUs; the rest are operations
// of the VMM or of the host, each named after the KVM path that it models.
enum class EventKind : std::uint8_t {
  // A guest access: gpa, access, vcpu. errorCode is carried, not consulted.
  kAccess,
  // Zaps the leaves of [gpa, gpa + bytes), through every alias; KVM:
  // kvm_zap_gfn_range().
  kZap,
  // Invalidates every root; KVM: kvm_mmu_zap_all_fast().
  kZapAllFast,
  // KVM_GET_DIRTY_LOG in auto mode on every logged slot that meets
  // [gpa, gpa + bytes); bytes 0 means every slot. Same rule for the next two.
  kDirtyLogGet,
  // KVM_SET_USER_MEMORY_REGION that switches KVM_MEM_LOG_DIRTY_PAGES on.
  kDirtyLogEnable,
  // ... and off.
  kDirtyLogDisable,
  // End of a capture's fault log: counted, otherwise ignored.
  kEnd,
  // The host takes [hva, hva + bytes) back, begin and end in one; gpa is
  // that hva. KVM: kvm_mmu_notifier_invalidate_range_start(), _end.
  kHvaInvalidate,
  // KVM_SET_MEMORY_ATTRIBUTES on [gpa, gpa + bytes). The access column says
  // what the pages become: kAttributes* bits.
  kAttributes,
  // An invalidation of host pages opens: [hva, hva + bytes) is zapped as by
  // kHvaInvalidate, and faults on it retry until the end. KVM:
  // kvm_mmu_notifier_invalidate_range_start().
  kHvaBegin,
  // ... and closes; every fault that saw it open retries. KVM:
  // kvm_mmu_notifier_invalidate_range_end().
  kHvaEnd,
  // Clears Accessed on what maps [hva, hva + bytes); level tells whether any
  // was young. KVM: kvm_mmu_notifier_clear_young().
  kAge,
  // Only looks. KVM: kvm_mmu_notifier_test_young().
  kTestAge,
  // KVM_CLEAR_DIRTY_LOG of every page of [gpa, gpa + bytes), in 64-page
  // windows of each logged slot; bytes 0 means every slot.
  kDirtyLogClear,
  // The VMM collects every dirty ring, then KVM_RESET_DIRTY_RINGS.
  kDirtyRingReset,
  // Somebody watches writes to these frames. KVM:
  // __kvm_write_track_add_gfn(), __kvm_write_track_remove_gfn().
  kWriteTrackAdd,
  kWriteTrackRemove,
  // KVM_PRE_FAULT_MEMORY on [gpa, gpa + bytes), through the row's vCPU.
  kPrefault,
  // The guest asks for its own TLB to be flushed.
  kVcpuTlbFlush,
  // Every page that the vCPU waits for has come. KVM:
  // kvm_arch_async_page_ready().
  kAsyncReady,
  // A period of the worker that gives huge pages back. KVM:
  // kvm_recover_nx_huge_pages().
  kNxRecover,
};
inline constexpr unsigned kEventKindCount = 21;
inline constexpr std::array<std::string_view, kEventKindCount> kEventKindNames{
    "access",
    "zap",
    "zap-all-fast",
    "dirty-log-get",
    "dirty-log-enable",
    "dirty-log-disable",
    "end",
    "hva-invalidate",
    "attributes",
    "hva-begin",
    "hva-end",
    "age",
    "test-age",
    "dirty-log-clear",
    "dirty-ring-reset",
    "write-track-add",
    "write-track-remove",
    "prefault",
    "vcpu-tlb-flush",
    "async-ready",
    "nx-recover"};

// Bits of the access column of kAttributes.
inline constexpr std::uint8_t kAttributesPrivate = 1;
// Inserted by a projection: it has no number among the trace's events.
inline constexpr std::uint8_t kAttributesInserted = 2;

// Bits of the access column. They equal the EPT permission bits R, W and X,
// so an access is allowed if its bits are a subset of the entry's.
inline constexpr std::uint8_t kAccessRead = 1;
inline constexpr std::uint8_t kAccessWrite = 2;
inline constexpr std::uint8_t kAccessFetch = 4;
inline constexpr std::uint8_t kAccessMask = 7;

// What an access came to. `kDone` is the outcome of everything that is not an
// access.
enum class OutcomeCode : std::uint8_t {
  kHit,             // hardware translated it; KVM saw nothing
  kFixed,           // RET_PF_FIXED
  kSpurious,        // RET_PF_SPURIOUS
  kEmulate,         // RET_PF_EMULATE: MMIO, or a write to a read-only slot
  kRetry,           // RET_PF_RETRY
  kWriteProtected,  // RET_PF_WRITE_PROTECTED
  kUnzapped,        // RET_PF_UNZAPPED of the 2020 TDX patches
  kMemoryFault,     // KVM_EXIT_MEMORY_FAULT
  kError,           // a negative errno
  kStuck,           // KVM answered, hardware still faults
  kDone,
};
inline constexpr unsigned kOutcomeCount = 11;
inline constexpr std::array<std::string_view, kOutcomeCount> kOutcomeNames{
    "hit",      "fixed",       "spurious", "emulate", "retry", "writeProtected",
    "unzapped", "memoryFault", "error",    "stuck",   "done"};

enum class ColumnType : std::uint8_t { kF64, kU32, kU16, kU8 };
constexpr std::size_t width_of(ColumnType type) {
  return type == ColumnType::kF64   ? 8
         : type == ColumnType::kU32 ? 4
         : type == ColumnType::kU16 ? 2
                                    : 1;
}

struct ColumnInfo {
  std::string_view name;
  ColumnType type;
};

// bytes: the length of a range, 0 for an access. errorCode: as recorded, raw
// (exit qualification, NPF code or #PF code), below 2^53.
inline constexpr std::array<ColumnInfo, 6> kEventLayout{{
    {"gpa", ColumnType::kF64},
    {"bytes", ColumnType::kF64},
    {"errorCode", ColumnType::kF64},
    {"vcpu", ColumnType::kU16},
    {"kind", ColumnType::kU8},
    {"access", ColumnType::kU8},
}};

// Where a consumer asks for them they follow the columns above, in this
// order: seconds since the trace's clock started, and the two halves of rip.
// Placed last and behind their own capacity, so the engine never sees them.
inline constexpr std::array<ColumnInfo, 3> kExtraLayout{{
    {"time", ColumnType::kF64},
    {"ripLow", ColumnType::kU32},
    {"ripHigh", ColumnType::kU32},
}};

// sptesChanged: entries that KVM's side changed for this event, leaves, MMIO
// entries and links alike, at most 2^32 - 1; Accessed and Dirty bits that
// hardware sets do not count, and a whole tree dropped by kZapAllFast counts
// its leaves and MMIO entries. level: of the leaf that served the access, 0 if
// none did. tablesRead: tables that the first hardware walk read, 0 where a TLB
// served. flush: the widest flush that the event led to, and flushedPages the
// pages of its range calls, at most 2^32 - 1.
inline constexpr std::array<ColumnInfo, 6> kOutcomeLayout{{
    {"sptesChanged", ColumnType::kU32},
    {"flushedPages", ColumnType::kU32},
    {"outcome", ColumnType::kU8},
    {"level", ColumnType::kU8},
    {"tablesRead", ColumnType::kU8},
    {"flush", ColumnType::kU8},
}};

inline constexpr std::array<std::string_view, 3> kFlushScopeNames{
    "none", "range", "full"};

template <std::size_t N>
constexpr std::size_t bytes_per_row(const std::array<ColumnInfo, N>& layout) {
  std::size_t sum = 0;
  for (const ColumnInfo& column : layout) sum += width_of(column.type);
  return sum;
}
inline constexpr std::size_t kEventBytes = bytes_per_row(kEventLayout);
inline constexpr std::size_t kExtraBytes = bytes_per_row(kExtraLayout);
inline constexpr std::size_t kOutcomeBytes = bytes_per_row(kOutcomeLayout);
static_assert(kEventBytes == 28 && kExtraBytes == 16 && kOutcomeBytes == 12);

// Views over the columns of one batch. They own nothing.
struct EventColumns {
  const double* gpa = nullptr;
  const double* bytes = nullptr;
  const double* error_code = nullptr;
  const std::uint16_t* vcpu = nullptr;
  const std::uint8_t* kind = nullptr;
  const std::uint8_t* access = nullptr;
  std::size_t count = 0;
};

struct OutcomeColumns {
  std::uint32_t* sptes_changed = nullptr;
  std::uint32_t* flushed_pages = nullptr;
  std::uint8_t* outcome = nullptr;
  std::uint8_t* level = nullptr;
  std::uint8_t* tables_read = nullptr;
  std::uint8_t* flush = nullptr;
};

// One row of each, for single-step calls.
struct Event {
  EventKind kind = EventKind::kAccess;
  std::uint8_t access = kAccessRead;
  std::uint16_t vcpu = 0;
  std::uint64_t gpa = 0;
  std::uint64_t bytes = 0;
};

struct Outcome {
  OutcomeCode code = OutcomeCode::kDone;
  std::uint8_t level = 0;
  std::uint8_t tables_read = 0;
  std::uint8_t flush = 0;
  std::uint32_t sptes_changed = 0;
  std::uint32_t flushed_pages = 0;
};

}  // namespace mmu
