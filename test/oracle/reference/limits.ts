/** What a VM's memslots may be: by kernel, host and strategy. */
import { KERNELS } from "./kernels.js";
import type { Limits } from "./memslots.js";
import type { Shape } from "./shape.js";
import type { FullConfig } from "./types.js";

/** Where user space ends: a host that needs more than 46 bits is taken to have five-level paging. */
export function limitsOf({ kernel, hostMaxphyaddr }: FullConfig, { hasPrivate, policy }: Shape): Limits {
  const rules = KERNELS[kernel];
  const guardsPrivate = hasPrivate && policy.checksAttribute;
  const hvaBits = rules.fixedHvaBits ?? (hostMaxphyaddr <= 46 ? 47 : 56);
  return {
    rules,
    userEnd: 2 ** hvaBits - 4096,
    addressSpaces: guardsPrivate ? 1 : rules.addressSpaces,
    takesMemfd: rules.memfd === "all" || (rules.memfd === "private" && guardsPrivate),
  };
}
