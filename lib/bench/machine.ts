/** What figures were measured on: without it they say nothing. */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { buildInfo } from "../native/build-info.js";
import { VERSION } from "../version.js";
import type { BenchMachine } from "./result.js";

const HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage/enabled";
/** Variables that force a vector path. */
const FORCES = ["GPALIAS_REPLAY_PATH", "GPALIAS_TRACE_PATH"] as const;

export function benchMachine(): BenchMachine {
  const build = buildInfo();
  const vectors = (["avx512", "avx2"] as const).filter((path) => build[path] === true);
  return {
    cpu: cpus()[0]?.model.trim() ?? process.arch,
    cores: availableParallelism(),
    memory: totalmem(),
    hugePages: hugePages(),
    paths: [...vectors, "portable"],
    forced: Object.fromEntries(
      FORCES.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
    ),
    node: process.version,
    compiler: String(build["compiler"]),
    version: VERSION,
  };
}

function hugePages(): string {
  try {
    return /\[(\w+)\]/.exec(readFileSync(HUGE_PAGES, "utf8"))?.[1] ?? "unknown";
  } catch {
    return "unknown";
  }
}
