/** What figures were measured on: without it they say nothing. */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { buildInfo } from "../native/build-info.js";
import { VERSION } from "../version.js";
import type { BenchMachine } from "./result.js";

const HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage/enabled";

export function benchMachine(): BenchMachine {
  const build = buildInfo();
  const vectors = (["avx512", "avx2"] as const).filter((path) => build[path] === true);
  const paths = [...vectors, "portable"];
  return {
    cpu: cpus()[0]?.model.trim() ?? process.arch,
    cores: availableParallelism(),
    memory: totalmem(),
    hugePages: hugePages(),
    paths,
    taken: { replay: String(build["replayPath"] ?? "portable"), text: textPath(paths) },
    node: process.version,
    compiler: String(build["compiler"]),
    version: VERSION,
  };
}

/** What the reader takes: native/trace/formats.cpp. */
function textPath(paths: readonly string[]): string {
  const asked = process.env["GPALIAS_TRACE_PATH"] ?? "";
  return [...paths, "scalar"].includes(asked) ? asked : (paths[0] as string);
}

function hugePages(): string {
  try {
    return /\[(\w+)\]/.exec(readFileSync(HUGE_PAGES, "utf8"))?.[1] ?? "unknown";
  } catch {
    return "unknown";
  }
}
