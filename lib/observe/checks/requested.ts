/**
 * A fault asks for an entry and gets it, or has a reason to try again; and no leaf comes that nobody asked for.
 *
 * KVM: kvm_tdp_mmu_map() prints the request first. Without a leaf it was retried: a compare-exchange lost, or a frozen
 * entry met.
 */
import type { Check, Scene, Watch } from "../check.js";
import { frameOf, hex } from "../check.js";
import { isFrozen, isLeaf, pfnOf, roundedTo } from "../entry.js";
import type { Changed, Line, Requested } from "../line.js";

const NO_SLOT = 1n << 63n;

interface Asked {
  readonly request: Requested;
  answered: boolean;
}

const check: Check = {
  id: "requested",
  summary: "a request is followed by its leaf, and a leaf by nobody's whim",
  unable: ({ has }) => (has.has("requested") ? undefined : "the trace has no kvm_mmu_spte_requested"),
  start: (scene) => new Requests(scene),
};

class Requests implements Watch {
  readonly #scene: Scene;
  /** By thread. */
  readonly #open = new Map<number, Asked>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  line(line: Line): void {
    if (line.event === "gap" || line.event === "omitted") this.#open.clear();
    const asked = this.#open.get(line.thread);
    if (line.event === "changed") leaf(this.#scene, line, asked);
    if (asked !== undefined && answers(line, asked.request)) asked.answered = true;
    if (!isNext(line)) return;
    if (asked !== undefined) unanswered(this.#scene, asked, line);
    this.#open.delete(line.thread);
    if (line.event === "requested") this.#open.set(line.thread, { request: line, answered: false });
  }
}

const isNext = ({ event }: Line): boolean => event === "fault" || event === "entry" || event === "requested";

function answers(line: Line, { gfn }: Requested): boolean {
  if (line.event === "mmio") return line.gfn === gfn;
  return line.event === "set" && roundedTo(gfn, line.level) === roundedTo(line.gfn, line.level);
}

function leaf(scene: Scene, line: Changed, asked: Asked | undefined): void {
  const { format } = scene;
  const isNew = isLeaf(format, line.now, line.level) && !isLeaf(format, line.old, line.level);
  if (!isNew || isFrozen(format, line.old)) return;
  if (line.old !== format.empty && line.level > 1) collapsed(line, asked);
  else fresh(scene, line, asked);
}

/** Under the workaround of iTLB multihit a leaf may be smaller than what was asked for. */
function fresh(scene: Scene, line: Changed, asked: Asked | undefined): void {
  const place = { severity: "error" as const, line: line.number };
  if (asked === undefined || asked.request.level < line.level || !covers(line, asked.request.gfn)) {
    const why = `a leaf for gfn ${hex(line.gfn)} level ${line.level} that the thread did not ask for`;
    scene.report({
      ...place,
      confidence: "medium",
      others: asked === undefined ? [] : [asked.request.number],
      why,
    });
    return;
  }
  asked.answered = true;
  const { pfn, gfn, number } = asked.request;
  const mapped = pfnOf(line.now) + BigInt(gfn - line.gfn);
  if (pfn === NO_SLOT || mapped === pfn) return;
  const why = `the request was for host frame ${hex(pfn)}, and the leaf maps ${hex(mapped)}`;
  scene.report({ ...place, confidence: "high", others: [number], why });
}

/** A table became a leaf: by a fault that asked for it, or because a log ended. */
function collapsed(line: Changed, asked: Asked | undefined): void {
  if (asked !== undefined && covers(line, asked.request.gfn)) asked.answered = true;
}

const covers = ({ gfn, level }: Changed, frame: number): boolean => roundedTo(frame, level) === gfn;

function unanswered(scene: Scene, { request, answered }: Asked, next: Line): void {
  if (answered || !scene.has.has("changed")) return;
  const isRetried = next.event === "fault" && frameOf(next.address) === request.gfn;
  const isThere = scene.known.leafOf(0, request.gfn) !== undefined;
  const isEmulated = request.pfn === NO_SLOT;
  if (isRetried || isThere || isEmulated) return;
  scene.report({
    severity: "warning",
    confidence: "medium",
    line: request.number,
    others: [next.number],
    why: `gfn ${hex(request.gfn)} was asked for, no leaf came, and the thread went on without another try`,
  });
}

export default check;
