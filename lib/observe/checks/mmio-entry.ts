/**
 * The line that marks an MMIO entry says what the change before it stored: frame, low bits, generation.
 *
 * KVM: make_mmio_spte() and mark_mmio_spte(). The frame is in place but for the bits that L1TF's mitigation moves.
 */
import type { Check, Scene } from "../check.js";
import { hex } from "../check.js";
import { isMmio } from "../entry.js";
import type { Changed, MarkedMmio } from "../line.js";

const LOW_BITS = 7n;

/** Bits of the generation: how many are low, from bit 3 on, and where the high ones stand. */
const GENERATION = {
  "5.10": { low: 9, high: 54 },
  "6.1": { low: 8, high: 52 },
  "6.16": { low: 8, high: 52 },
};
const GENERATION_BITS = { "5.10": 18, "6.1": 19, "6.16": 19 };

const check: Check = {
  id: "mmio-entry",
  summary: "the line that marks an MMIO entry says what was stored",
  unable: ({ has }) => (has.has("mmio") ? undefined : "the trace has no mark_mmio_spte"),
  start: (scene) => {
    const latest = new Map<number, Changed>();
    return {
      line: (line) => {
        if (line.event === "changed") latest.set(line.thread, line);
        if (line.event === "gap" || line.event === "omitted") latest.clear();
        if (line.event === "mmio") judge(scene, line, latest.get(line.thread));
      },
    };
  },
};

function generationOf({ format: { release } }: Scene, spte: bigint): bigint {
  const { low, high } = GENERATION[release];
  const lowPart = BigInt.asUintN(low, spte >> 3n);
  const highPart = BigInt.asUintN(GENERATION_BITS[release] - low, spte >> BigInt(high));
  return (highPart << BigInt(low)) | lowPart;
}

function judge(scene: Scene, line: MarkedMmio, before: Changed | undefined): void {
  if (before === undefined || before.level !== 1 || before.gfn !== line.gfn) return;
  const { now } = before;
  const wrong = wrongWith(scene, line, now);
  if (wrong === undefined) return;
  scene.report({
    severity: "error",
    confidence: "high",
    line: line.number,
    others: [before.number],
    why: `${hex(now)} was stored for gfn ${hex(line.gfn)}, and ${wrong}`,
  });
}

function wrongWith(scene: Scene, line: MarkedMmio, spte: bigint): string | undefined {
  if (!isMmio(scene.format, spte)) return "that is no MMIO entry";
  if (Number(spte & LOW_BITS) !== line.access) return `its low bits are not ${line.access}`;
  const generation = generationOf(scene, spte);
  if (Number(generation) !== line.generation) {
    return `its generation is ${hex(generation)}, not ${hex(line.generation)}`;
  }
  return frameIn(spte, line.gfn) ? undefined : "its frame is another";
}

/** Frame bits below those that may have been moved. */
const FRAME_BITS = 20;

function frameIn(spte: bigint, gfn: number): boolean {
  return BigInt.asUintN(FRAME_BITS, spte >> 12n) === BigInt.asUintN(FRAME_BITS, BigInt(gfn));
}

export default check;
