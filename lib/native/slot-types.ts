/** The part of the addon's interface that is about memslots, dirty logs and rings; as unchecked as the rest of it. */

export interface NativeOutcome {
  /** Index into `NativeLayout.outcomes`. */
  readonly outcome: number;
  readonly level: number;
  readonly tablesRead: number;
  readonly sptesChanged: number;
  /** Index into `NativeLayout.flushScopes`. */
  readonly flush: number;
  readonly flushedPages: number;
}

export interface NativeRegion {
  /** `as_id << 16 | id`. */
  readonly slot: number;
  readonly flags: number;
  readonly gpa: number;
  readonly bytes: number;
  readonly hva: number;
  /** 1, 2 or 3. */
  readonly backing: number;
  /** What `createGuestMemfd` returned; -1 for no open file, -2 for a file that is no guest_memfd. */
  readonly memfd: number;
  readonly memfdOffset: number;
}

/** A region to set: 64-bit numbers may be bigints, as not every one fits a number. */
export interface NativeRegionRequest {
  readonly slot: number;
  readonly flags: number;
  readonly gpa: number | bigint;
  readonly bytes: number | bigint;
  readonly hva: number | bigint;
  readonly backing: number;
  /** -1 if absent. */
  readonly memfd?: number;
  /** 0 if absent. */
  readonly memfdOffset?: number | bigint;
  /** KVM_SET_USER_MEMORY_REGION instead of KVM_SET_USER_MEMORY_REGION2. */
  readonly isOldIoctl?: boolean;
}

/** Entries of a dirty ring, as columns of equal length, the oldest first. */
export interface NativeRingEntries {
  /** `as_id << 16 | id` */
  readonly slot: Uint32Array;
  /** Counted from the start of the slot. */
  readonly page: Float64Array;
}

export interface NativeRingReset extends NativeOutcome {
  readonly entries: number;
}

/** Guest memory that KVM touched, cut at pages: columns of equal length, in order. */
export interface NativeTransfer {
  readonly bytesDone: number;
  /** EFAULT behind the last piece. */
  readonly faulted: boolean;
  readonly hva: Float64Array;
  readonly bytes: Float64Array;
}

export interface NativeMemslot extends NativeRegion {
  readonly dirtyPages: number;
}
