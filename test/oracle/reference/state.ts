/** Everything that one modelled VM holds, and how it starts. */
import { Memslots } from "./memslots.js";
import { Paging } from "./paging.js";
import { type AliasPolicy, policyNamed } from "./policies.js";
import type { ReferenceConfig } from "./types.js";

export interface State {
  readonly config: ReferenceConfig;
  readonly policy: AliasPolicy;
  readonly memslots: Memslots;
  readonly paging: Paging;
  /** Highest frame that KVM maps. */
  readonly maxGfn: number;
  readonly counters: {
    pf_taken: number;
    pf_fixed: number;
    pf_emulate: number;
    pf_spurious: number;
    pf_fast: number;
    pf_mmio_spte_created: number;
  };
}

/** Where user space ends: a host that needs more than 46 bits is taken to have five-level paging. */
function userEnd(hostMaxphyaddr: number): number {
  return 2 ** (hostMaxphyaddr <= 46 ? 47 : 56) - 4096;
}

export function newState(config: ReferenceConfig): State {
  return {
    config,
    policy: policyNamed(config.policy),
    memslots: new Memslots(userEnd(config.hostMaxphyaddr)),
    paging: new Paging(config.rootLevel),
    maxGfn: 2 ** (config.hostMaxphyaddr - 12) - 1,
    counters: {
      pf_taken: 0,
      pf_fixed: 0,
      pf_emulate: 0,
      pf_spurious: 0,
      pf_fast: 0,
      pf_mmio_spte_created: 0,
    },
  };
}
