/** An L1 with EPT for its guest, for tests of the reference walker. */
import { eptIndexOf } from "../oracle/reference-walker/ept-entries.js";
import type { EptCapabilities } from "../oracle/reference-walker/ept-rules.js";
import { type Ept, walkEpt } from "../oracle/reference-walker/ept-walk.js";
import type { EptFault } from "../oracle/reference-walker/fault.js";
import { type Features, NO_CPUID } from "../oracle/reference-walker/features.js";
import { GuestMemory } from "../oracle/reference-walker/guest-memory.js";
import { PageModificationLog } from "../oracle/reference-walker/page-modification-log.js";
import type { TableMemory } from "../oracle/reference-walker/table-memory.js";

export const RWX = 7n;
/** Memory type 6, write-back. */
export const WB = 0x30n;

export interface EptMaking {
  readonly levels?: 4 | 5;
  readonly marks?: boolean;
  readonly logs?: boolean;
  readonly features?: Partial<Features>;
  readonly capabilities?: Partial<EptCapabilities>;
  /** Where tables begin, and the memory that they share with others. */
  readonly root?: bigint;
  readonly memory?: GuestMemory;
}

const ALL = { executeOnly: true, twoMegabytes: true, oneGigabyte: true };

export class AnEpt {
  readonly memory: GuestMemory;
  readonly ept: Ept;
  readonly log = new PageModificationLog();
  readonly root: bigint;
  #nextTable: bigint;

  constructor({ levels = 4, marks = false, logs = false, features, capabilities, ...where }: EptMaking = {}) {
    this.root = where.root ?? 0x1000n;
    this.#nextTable = this.root;
    this.memory = where.memory ?? new GuestMemory();
    if (where.memory === undefined)
      this.memory.slots.set(0, { id: 0, gpa: 0n, bytes: 0x10_0000n, offset: 0n, logsDirty: true });
    this.ept = {
      eptp: this.root | (BigInt(levels - 1) << 3n) | (marks ? 0x40n : 0n) | 6n,
      features: { ...NO_CPUID, maxphyaddr: 40, ...features },
      capabilities: { ...ALL, ...capabilities },
      ...(logs && { log: this.log }),
    };
  }

  get levels(): number {
    return Number((this.ept.eptp >> 3n) & 7n) + 1;
  }

  /** Links with every right down to `level`, and there this entry. */
  map(address: bigint, entry: bigint, level = 1): this {
    for (let at = this.levels; at > level; --at) {
      const gpa = this.entryAt(at, address);
      if (this.memory.load(gpa) !== 0n) continue;
      this.#nextTable += 0x1000n;
      this.memory.store(gpa, this.#nextTable | RWX);
    }
    this.memory.store(this.entryAt(level, address), entry);
    return this;
  }

  /** Where the entry lies that a walk reads at this level. */
  entryAt(level: number, address: bigint): bigint {
    let table = this.root;
    for (let at = this.levels; at > level; --at)
      table = this.memory.load(table + eptIndexOf(at, address) * 8n) & 0xffff_f000n;
    return table + eptIndexOf(level, address) * 8n;
  }

  walk(address: bigint, access: bigint, memory: TableMemory = this.memory): ReturnType<typeof walkEpt> {
    return walkEpt(this.ept, memory, address, access);
  }

  fault(address: bigint, access: bigint): EptFault | undefined {
    const outcome = this.walk(address, access);
    return "fault" in outcome ? outcome.fault : undefined;
  }

  /** "misconfiguration", or the qualification of a violation; undefined if the access is allowed. */
  exit(address: bigint, access: bigint): string | undefined {
    const fault = this.fault(address, access);
    return fault && (fault.exit === "violation" ? `0x${fault.qualification.toString(16)}` : fault.exit);
  }
}
