// What the process takes, as the kernel counts it: now, and the most ever.
import { readFileSync } from "node:fs";

const MIB = 2 ** 20;
export const mib = (bytes) => bytes / MIB;

/** Bytes resident now. */
export const rss = () => process.memoryUsage.rss();

/** The most that was ever resident. Linux: VmHWM; elsewhere what Node knows. */
export function peakRss() {
  try {
    const [, kib] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"));
    return Number(kib) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}

/** How far apart what is resident lay over a stretch of the run. */
export class Span {
  least = Number.POSITIVE_INFINITY;
  most = 0;

  add(bytes) {
    this.least = Math.min(this.least, bytes);
    this.most = Math.max(this.most, bytes);
  }

  get bytes() {
    return Math.max(0, this.most - this.least);
  }
}
