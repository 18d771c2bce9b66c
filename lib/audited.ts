/**
 * A replay whose VMs audit themselves as they go, and once more at its end.
 *
 * It must not know what an audit looks at.
 */
import { expectInteger } from "./expect.js";
import type { Vm } from "./vm.js";

/** @throws RangeError or TypeError with code `ERR_CONFIG` */
export function expectAuditPeriod(audit: number | undefined): number | undefined {
  return audit === undefined ? undefined : expectInteger("audit", audit, 0, Number.MAX_SAFE_INTEGER);
}

/**
 * Lets `fly` run the VMs.
 *
 * @param audit events from one audit to the next; 0: only at the end; undefined: none at all
 */
export async function audited<T>(
  vms: readonly Vm[],
  audit: number | undefined,
  fly: () => Promise<T>,
): Promise<T> {
  if (audit === undefined) return fly();
  if (audit > 0) for (const vm of vms) vm.auditEvery(audit);
  try {
    return await fly();
  } finally {
    for (const vm of vms) if (!vm.closed) vm.auditEvery(0);
  }
}
