/** Types that users build on. Checked by the compiler; nothing here runs. */
import { expectTypeOf, test } from "vitest";
import {
  type Comparison,
  compare,
  createVm,
  defineTraceFormat,
  EventBatch,
  type MmuError,
  type Outcome,
  type OutcomeCode,
  openTrace,
  type Replay,
  replay,
  type TraceError,
  type Vm,
  type VmConfig,
} from "../../lib/index.js";

test("a VM needs no option and can be disposed of", () => {
  expectTypeOf(createVm).toBeCallableWith();
  expectTypeOf<Vm>().toExtend<Disposable>();
});

test("closed sets are unions of strings", () => {
  expectTypeOf<Outcome["result"]>().toEqualTypeOf<OutcomeCode | "done">();
  expectTypeOf<Outcome["pageSize"]>().toEqualTypeOf<"4K" | "2M" | "1G" | undefined>();
  expectTypeOf<VmConfig["rootLevel"]>().toEqualTypeOf<4 | 5 | undefined>();
  expectTypeOf<Outcome["flush"]>().toEqualTypeOf<"none" | "range" | "full">();
  expectTypeOf<VmConfig["mmu"]>().toEqualTypeOf<"tdp" | "rmap" | undefined>();
  expectTypeOf<MmuError["code"]>().extract<"ERR_BUSY" | "ERR_NONSENSE">().toEqualTypeOf<"ERR_BUSY">();
});

test("mistakes do not compile", () => {
  // @ts-expect-error the key is addressBits
  createVm({ adressBits: 48 });
  // @ts-expect-error an x86 paging tree has 4 or 5 levels
  createVm({ rootLevel: 3 });
  // @ts-expect-error KVM has two MMUs
  createVm({ mmu: "ept" });
  // @ts-expect-error attributes are pushed with pushAttributes
  new EventBatch(1).pushOperation("attributes");
  // @ts-expect-error hardware knows reads, writes and fetches
  new EventBatch(1).pushAccess(0, "execute");
  // @ts-expect-error an access is pushed with pushAccess
  new EventBatch(1).pushOperation("access");
  // @ts-expect-error results are read-only
  (replayed: Replay) => delete replayed.input;
});

test("a trace error is an MMU error with a place", () => {
  expectTypeOf<TraceError>().toExtend<MmuError>();
  expectTypeOf<TraceError["offset"]>().toEqualTypeOf<number | undefined>();
});

test("replay takes what createVm and openTrace give", () => {
  expectTypeOf(replay).parameter(0).toEqualTypeOf<Vm>();
  expectTypeOf(openTrace).returns.resolves.toEqualTypeOf<Parameters<typeof replay>[1]>();
  expectTypeOf(replay).returns.resolves.toEqualTypeOf<Replay>();
});

test("a run of a comparison is a replay, or says why there is none", () => {
  expectTypeOf(compare).returns.resolves.toEqualTypeOf<Comparison>();
  const [run] = [] as Comparison["runs"];
  if (run !== undefined && "notApplicable" in run) expectTypeOf(run.notApplicable).toEqualTypeOf<string>();
  else if (run !== undefined) expectTypeOf(run).toEqualTypeOf<Replay>();
});

test("the state of a format is what its open returns", () => {
  defineTraceFormat({
    name: "x",
    summary: "x",
    hasOperations: false,
    detect: () => false,
    open: () => ({ line: 0 }),
    decode: (chunk, sink, state) => {
      expectTypeOf(state).toEqualTypeOf<{ line: number }>();
      expectTypeOf(sink.fail).returns.toBeNever();
      return chunk.byteLength;
    },
  });
});
