/**
 * The words the reference model shares with its callers: what goes in, what
 * comes out, how it refuses. It knows nothing of the engine; numbers and names
 * are those of the public interface, written down a second time on purpose.
 */
import type { HostOptions } from "./host-options.js";
import type { TlbOption } from "./tlb-shape.js";

export type EventKind =
  | "access"
  | "zap"
  | "zap-all-fast"
  | "dirty-log-get"
  | "dirty-log-enable"
  | "dirty-log-disable"
  | "end"
  | "hva-invalidate"
  | "attributes"
  | "dirty-log-clear"
  | "dirty-ring-reset"
  | "hva-begin"
  | "hva-end"
  | "age"
  | "test-age"
  | "write-track-add"
  | "write-track-remove"
  | "prefault"
  | "vcpu-tlb-flush"
  | "async-ready"
  | "nx-recover";

/** Bits of an access: they may be combined, never all clear. */
export const READ = 1;
export const WRITE = 2;
export const FETCH = 4;

/** What the access column of an `attributes` event says. */
export const TO_SHARED = 0;
export const TO_PRIVATE = 1;
/** Added to either: a projection put the event there. */
export const INSERTED = 2;

export interface ReferenceEvent {
  readonly kind: EventKind;
  /** Bytes, as issued; a host address of events that the host sends. */
  readonly gpa: number;
  /** Length of a range; 0 for an access. */
  readonly bytes: number;
  /** Bits of an access; of `attributes` what the range becomes. */
  readonly access: number;
  readonly vcpu: number;
}

export type Result =
  | "hit"
  | "fixed"
  | "spurious"
  | "emulate"
  | "retry"
  | "writeProtected"
  | "unzapped"
  | "memoryFault"
  | "error"
  | "stuck"
  | "done";

/** What KVM's side answered to one fault. */
export interface Answer {
  readonly result: Result;
  /** Level of the serving leaf, 0 where there is none. */
  readonly level: number;
  readonly sptesChanged: number;
}

/** What an event that is no access did: entries changed, and a result other than `done`, a level other than 0. */
export interface Effect {
  readonly changed: number;
  readonly level?: number;
  readonly result?: Result;
}

/** Widest flush that an event really made. */
export type FlushScope = "none" | "range" | "full";

export const unserved = (result: Result, sptesChanged = 0): Answer => ({ result, level: 0, sptesChanged });

export interface ReferenceOutcome extends Answer {
  /** Tables that the first hardware walk read. */
  readonly tablesRead: number;
  readonly flush: FlushScope;
  /** Pages of the range calls that succeeded. */
  readonly flushedPages: number;
}

export type Flavour = "tdp" | "rmap";
export type Kernel = "6.16" | "5.10" | "pvm-6.18";

export interface ReferenceConfig {
  readonly addressBits: number;
  readonly rootLevel: number;
  /** Raw physical width of the modelled host. */
  readonly hostMaxphyaddr: number;
  readonly vcpus: number;
  /** A row of `policies`. */
  readonly policy: string;
  /** As `--alias` has it; it fixes the first two. @default "none" */
  readonly preset?: string;
  /** @default "tdp" */
  readonly mmu?: Flavour;
  /** `none`, `hyperv` or `fail:<k>`. @default "none" */
  readonly flushProvider?: string;
  /** Off by default. */
  readonly tlb?: TlbOption | undefined;
  /** APIC access page, TSS and identity map. @default false */
  readonly internalSlots?: boolean;
  /** `ok`, `busy:<k>` or `fail:<k>`. @default "ok" */
  readonly externalTables?: string;
  /** @default false */
  readonly convertOnExit?: boolean;
  /** Whether flavour rmap may run out of shadow pages. @default false */
  readonly limitsPages?: boolean;
  /** Bytes of each vCPU's dirty ring, asked for before the first vCPU; 0 for none. @default 0 */
  readonly dirtyRing?: number;
  /** @default "6.16" */
  readonly kernel?: Kernel;
  /** What is not said is as `HOST_DEFAULTS` has it. */
  readonly host?: Partial<HostOptions>;
}

/** With every default filled in. */
export type FullConfig = Required<Omit<ReferenceConfig, "host">> & { readonly host: HostOptions };

export const LOG_DIRTY = 1;
export const READONLY = 2;
export const GUEST_MEMFD = 4;

/** The argument of KVM_SET_USER_MEMORY_REGION, plus the host's page size. */
export interface Region {
  /** Address space id in bits 31:16, slot id below. */
  readonly slot: number;
  readonly flags: number;
  readonly gpa: number;
  /** 0 deletes. */
  readonly bytes: number;
  readonly hva: number;
  /** 1, 2 or 3: largest page that the host maps this memory with. */
  readonly backing: number;
  /** The n-th file of guest_memfd, and where in it. */
  readonly memfd?: { readonly fd: number; readonly offset: number };
  /** Asked by KVM_SET_USER_MEMORY_REGION, which knows two flags only; else by the second of that name. */
  readonly isOldIoctl?: boolean;
}

export class Refusal extends Error {
  constructor(
    readonly code: string,
    readonly errno: string,
  ) {
    super(`${code} ${errno}`);
  }
}
