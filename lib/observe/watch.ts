/** The checks over a recording's lines, without the model. */
import type { Check, Finding, Scene, Watch } from "./check.js";
import type { EntryFormat } from "./entry.js";
import { Known } from "./known.js";
import type { Line } from "./line.js";

/** How a check came out. */
export interface CheckResult {
  readonly id: string;
  readonly summary: string;
  readonly findings: number;
  /** Why it judged nothing; null if it did. */
  readonly notChecked: string | null;
}

export interface WatchOptions {
  readonly format: EntryFormat;
  readonly aliasFrames: number;
  /** Names of events that the trace has anywhere. */
  readonly has: ReadonlySet<Line["event"]>;
  /** Findings that are kept; the others are counted. @default 1000 */
  readonly most?: number;
}

const MOST = 1000;

/** Lines go in one by one; what was found comes out at the end. */
export class Observation {
  readonly findings: Finding[] = [];
  readonly #counts = new Map<string, number>();
  readonly #known: Known;
  readonly #running: { check: Check; watch: Watch | undefined; unable: string | undefined }[];
  readonly #most: number;
  /** Lines after which nothing was known any more. */
  gaps = 0;

  constructor(checks: readonly Check[], { format, aliasFrames, has, most = MOST }: WatchOptions) {
    this.#known = new Known(format);
    this.#most = most;
    this.#running = checks.map((check) => {
      const scene: Scene = {
        format,
        aliasFrames,
        has,
        known: this.#known,
        report: (finding) => this.#take({ check: check.id, ...finding }),
      };
      const unable = check.unable?.(scene);
      return { check, unable, watch: unable === undefined ? check.start(scene) : undefined };
    });
  }

  line(line: Line): void {
    for (const { watch } of this.#running) watch?.line(line);
    this.#apply(line);
  }

  end(): CheckResult[] {
    for (const { watch } of this.#running) watch?.end?.();
    return this.#running.map(({ check: { id, summary }, unable }) => ({
      id,
      summary,
      findings: this.#counts.get(id) ?? 0,
      notChecked: unable ?? null,
    }));
  }

  #apply(line: Line): void {
    if (line.event === "changed") this.#known.apply(line);
    if (line.event === "fast" && line.fixed) {
      this.#known.fix(Math.floor(line.address / 4096), line.old, line.now, line.number);
    }
    if (line.event === "omitted") this.#known.forget(line.level, line.gfn, line.last);
    if (line.event !== "gap") return;
    this.gaps++;
    this.#known.clear();
  }

  #take(finding: Finding): void {
    this.#counts.set(finding.check, (this.#counts.get(finding.check) ?? 0) + 1);
    if (this.findings.length < this.#most) this.findings.push(finding);
  }
}
