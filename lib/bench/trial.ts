/**
 * What a trial is: one file in `trials/` that default-exports some of these, or
 * a part of the addon.
 *
 * Two sides do the same work: the engine's, and one to measure it by, be it the
 * least that anybody could do or what a script would do without the engine.
 */

/** Both sides, made ready. */
export interface Sides {
  /** That both do in one call. */
  readonly events: number;
  /** Does all events, and answers how many nanoseconds they took; what is cleared before is not in them. */
  engine(): number | Promise<number>;
  beside(): number | Promise<number>;
  /** Whether both sides have done what they were timed for. Asked at the end. */
  holds(): boolean;
  close?(): void;
}

export interface Trial {
  /** Lower-case words, the family's first, and a size: joined by `-`. */
  readonly name: string;
  /** A noun phrase: what the engine does. */
  readonly what: string;
  /** A noun phrase: what the other side does. */
  readonly beside: string;
  /** What is counted, in the singular. */
  readonly unit: string;
  /** Most that the engine's time may be, over the other side's. */
  readonly target?: number;
  /** Memory while it runs, about. */
  readonly bytes: number;
  /** What this machine would need to run it. */
  readonly lacks?: string;
  prepare(): Sides | Promise<Sides>;
}

/** Processor time of the whole process: what V8 does on other threads counts too. Resolution: a microsecond. */
export function cpuNs(work: () => void): number {
  const start = process.cpuUsage();
  work();
  return sinceNs(start);
}

/** The same of work that goes on behind its promise. */
export async function asyncCpuNs(work: () => Promise<unknown>): Promise<number> {
  const start = process.cpuUsage();
  await work();
  return sinceNs(start);
}

function sinceNs(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) * 1000;
}
