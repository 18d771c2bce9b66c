/**
 * The words the reference model shares with its callers: what goes in, what
 * comes out, how it refuses. It knows nothing of the engine; numbers and names
 * are those of the public interface, written down a second time on purpose.
 */

export type EventKind =
  | "access"
  | "zap"
  | "zap-all-fast"
  | "dirty-log-get"
  | "dirty-log-enable"
  | "dirty-log-disable"
  | "end";

/** Bits of an access: they may be combined, never all clear. */
export const READ = 1;
export const WRITE = 2;
export const FETCH = 4;

export interface ReferenceEvent {
  readonly kind: EventKind;
  /** Bytes, as issued. */
  readonly gpa: number;
  /** Length of a range; 0 for an access. */
  readonly bytes: number;
  readonly access: number;
  readonly vcpu: number;
}

export type Result = "hit" | "fixed" | "spurious" | "emulate" | "done";

export interface ReferenceOutcome {
  readonly result: Result;
  /** Level of the leaf that served the access, 0 if none did. */
  readonly level: number;
  /** Tables that the first hardware walk read. */
  readonly tablesRead: number;
  readonly sptesChanged: number;
}

export interface ReferenceConfig {
  readonly addressBits: number;
  readonly rootLevel: number;
  /** Raw physical width of the modelled host. */
  readonly hostMaxphyaddr: number;
  readonly vcpus: number;
  /** A row of `policies`. */
  readonly policy: string;
}

export const LOG_DIRTY = 1;
export const READONLY = 2;

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
}

export class Refusal extends Error {
  constructor(
    readonly code: string,
    readonly errno: string,
  ) {
    super(`${code} ${errno}`);
  }
}

export function done(sptesChanged: number): ReferenceOutcome {
  return { result: "done", level: 0, tablesRead: 0, sptesChanged };
}
