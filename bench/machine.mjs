// What a figure was measured on. Printed with every table: a figure without it
// says nothing.
import { availableParallelism, cpus } from "node:os";
import { buildInfo, VERSION } from "gpalias";
import { capture } from "../scripts/process.mjs";

function commit() {
  const { code, stdout } = capture("git", ["rev-parse", "--short", "HEAD"]);
  return code === 0 ? stdout.trim() : "unknown";
}

export function machine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    node: process.version,
    compiler: buildInfo().compiler,
    version: VERSION,
    commit: commit(),
  };
}

export const machineLine = ({ cpu, cores, node, compiler, version, commit }) =>
  `${cpu}, ${cores} cores; Node ${node}; addon by ${compiler}; gpalias ${version} at ${commit}`;
