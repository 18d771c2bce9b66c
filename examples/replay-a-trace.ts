/**
 * Replays a recorded boot with 4K and with 2M pages behind it, and says what
 * the larger pages save.
 *
 * The plan finds the guest's memory in the file beside the trace.
 */
import { fileURLToPath } from "node:url";
import {
  applyPlan,
  createVm,
  formatBytes,
  formatCount,
  openTrace,
  type PageSize,
  planReplay,
  type Replay,
  replay,
} from "gpalias";

const [path = fileURLToPath(new URL("boot-q35-2c-1g.faults.bin.br", import.meta.url))] =
  process.argv.slice(2);

async function replayWith(backing: PageSize): Promise<Replay> {
  const trace = await openTrace(path);
  const plan = await planReplay(trace, { backing });
  using vm = createVm(plan.config);
  applyPlan(vm, plan);
  // Awaited here, because the VM is closed when this function returns.
  return await replay(vm, trace, { guesses: plan.guesses });
}

for (const backing of ["4K", "2M"] as const) {
  const { outcomes, tables } = await replayWith(backing);
  const faults = formatCount(outcomes.fixed ?? 0);
  console.log(`${backing} pages: ${faults} faults fixed, ${formatBytes(tables.bytes)} of page tables`);
}
