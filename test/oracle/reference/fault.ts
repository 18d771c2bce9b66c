/**
 * One access: what hardware makes of it, and what KVM answers when hardware
 * cannot. KVM: kvm_mmu_page_fault(), fast_page_fault(), kvm_tdp_mmu_map()
 * (v6.16), for one thread, so that nothing is ever retried.
 */
import { markDirty } from "./dirty-log.js";
import { floorTo, frameOf } from "./frames.js";
import { goalLevel, pfnOf } from "./huge-pages.js";
import type { Slot } from "./memslots.js";
import type { Walk } from "./paging.js";
import { type Leaf, MMIO_GENERATIONS } from "./spte.js";
import type { State } from "./state.js";
import { FETCH, READ, type ReferenceOutcome, type Result, WRITE } from "./types.js";

interface Answer {
  readonly result: Result;
  readonly level: number;
  readonly sptesChanged: number;
}

const has = (access: number, bit: number): boolean => Math.floor(access / bit) % 2 === 1;

function allows(leaf: Leaf, access: number): boolean {
  return (leaf.r || !has(access, READ)) && (leaf.w || !has(access, WRITE)) && (leaf.x || !has(access, FETCH));
}

const currentMmioGeneration = (state: State): number =>
  (state.memslots.generations[0] ?? 0) % MMIO_GENERATIONS;

export function access(state: State, gpa: number, bits: number): ReferenceOutcome {
  const issued = frameOf(gpa);
  state.paging.loadRoot();
  const walk = state.paging.walk(state.policy.hardwareFrame(issued));
  const { tablesRead } = walk;
  const direct = translate(walk, bits) ?? (isCachedMmio(state, walk) ? emulated() : undefined);
  if (direct !== undefined) return { ...direct, tablesRead };
  const answer = handleFault(state, walk, issued, bits);
  expectProgress(state, issued, bits, answer);
  return { ...answer, tablesRead };
}

/** Hardware alone: permissions suffice, and it notes the use in the entry. */
function translate({ entry, level }: Walk, bits: number): Answer | undefined {
  if (entry.kind !== "leaf" || !allows(entry.leaf, bits)) return undefined;
  entry.leaf.accessed = true;
  if (has(bits, WRITE)) entry.leaf.dirty = true;
  return { result: "hit", level, sptesChanged: 0 };
}

/** A misconfiguration that KVM planted, and no slot has come or gone since. No counter sees it. */
function isCachedMmio(state: State, { entry }: Walk): boolean {
  return entry.kind === "mmio" && entry.generation === currentMmioGeneration(state);
}

function emulated(sptesChanged = 0): Answer {
  return { result: "emulate", level: 0, sptesChanged };
}

function handleFault(state: State, walk: Walk, issued: number, bits: number): Answer {
  state.counters.pf_taken += 1;
  const answer = fastFix(state, walk, issued, bits) ?? slowFix(state, issued, bits);
  if (answer.result === "fixed") state.counters.pf_fixed += 1;
  if (answer.result === "emulate") state.counters.pf_emulate += 1;
  if (answer.result === "spurious") state.counters.pf_spurious += 1;
  return answer;
}

/** A write to a leaf that only dirty logging protects needs no lock and no slot checks. */
function fastFix(state: State, { entry, level }: Walk, issued: number, bits: number): Answer | undefined {
  if (entry.kind !== "leaf" || !has(bits, WRITE) || !entry.leaf.mmuWritable || entry.leaf.w) return undefined;
  const gfn = state.policy.canonical(issued);
  const slot = state.memslots.find(gfn);
  if (slot?.logged && level > 1) return undefined;
  entry.leaf.w = true;
  if (slot !== undefined) markDirty(slot, gfn);
  state.counters.pf_fast += 1;
  return { result: "fixed", level, sptesChanged: 1 };
}

function slowFix(state: State, issued: number, bits: number): Answer {
  const slot = state.memslots.find(state.policy.canonical(issued));
  if (slot === undefined) return fillHole(state, issued);
  if (slot.readonly && has(bits, WRITE)) return emulated();
  return map(state, slot, issued, bits);
}

/** Remembers that nothing is here, so that the next access skips the handler. */
function fillHole(state: State, issued: number): Answer {
  if (state.policy.canonical(issued) > state.maxGfn) return emulated();
  const gfn = state.policy.kvmFrame(issued);
  let sptesChanged = makeWay(state, gfn, 1);
  const generation = currentMmioGeneration(state);
  const old = state.paging.entryAt(1, gfn);
  if (old.kind !== "mmio" || old.generation !== generation) {
    state.paging.putMmio(gfn, generation);
    sptesChanged += 1;
  }
  state.counters.pf_mmio_spte_created += 1;
  return emulated(sptesChanged);
}

function map(state: State, slot: Slot, issued: number, bits: number): Answer {
  const gfn = state.policy.kvmFrame(issued);
  const level = goalLevel(slot, state.policy.canonical(issued));
  const links = makeWay(state, gfn, level);
  const old = state.paging.entryAt(level, gfn);
  if (old.kind === "leaf" && allows(old.leaf, bits))
    return { result: "spurious", level, sptesChanged: links };
  const leaf = newLeaf(state, slot, issued, level);
  if (old.kind === "leaf" && old.leaf.pfn !== leaf.pfn)
    throw new Error("a present leaf was replaced by another page's: KVM would stop the host");
  state.paging.put(leaf);
  if (leaf.w) markDirty(slot, state.policy.canonical(issued));
  return { result: "fixed", level, sptesChanged: links + 1 };
}

/** Links tables down to `level`, splitting a huge leaf that is in the way. */
function makeWay({ paging }: State, gfn: number, goal: number): number {
  let changed = 0;
  for (let level = paging.rootLevel; level > goal; level--) {
    const entry = paging.entryAt(level, gfn);
    if (entry.kind === "table") continue;
    if (entry.kind === "leaf") paging.split(entry.leaf);
    else paging.link(level, gfn);
    changed += 1;
  }
  return changed;
}

/** A page of a writable slot is writable at once, whatever the access: the host had it writable already. */
function newLeaf(state: State, slot: Slot, issued: number, level: number): Leaf {
  const writable = !slot.readonly;
  const frame = state.policy.canonical(issued);
  return {
    level,
    gfn: floorTo(state.policy.kvmFrame(issued), level),
    pfn: floorTo(pfnOf(slot, frame, state.config.hostMaxphyaddr), level),
    r: true,
    w: writable,
    x: true,
    accessed: true,
    dirty: writable,
    hostWritable: writable,
    mmuWritable: writable,
  };
}

/** An answer that lets the guest go on must have made the access possible. */
function expectProgress(state: State, issued: number, bits: number, { result }: Answer): void {
  if (result !== "fixed" && result !== "spurious") return;
  const { entry } = state.paging.walk(state.policy.hardwareFrame(issued));
  if (entry.kind !== "leaf" || !allows(entry.leaf, bits))
    throw new Error(`answered ${result}, and the access still faults`);
}
