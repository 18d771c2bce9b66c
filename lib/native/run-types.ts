/** Batches through a VM, as the addon takes them. */

/** Resolves, or returns, with the number of rows applied. */
export interface NativeRuns {
  /**
   * Applies rows [0, count) of `events`; writes as many outcome rows. Both
   * blocks are laid out for `capacity` rows. A refusal carries
   * `values.applied`.
   */
  runSync(events: ArrayBuffer, outcomes: ArrayBuffer, capacity: number, count: number): number;
  /**
   * @param helpers threads that may serve runs of hits beside the pool's, 0 to 255; they are the VM's from then on
   * @default 0
   */
  run(
    events: ArrayBuffer,
    outcomes: ArrayBuffer,
    capacity: number,
    count: number,
    helpers?: number,
  ): Promise<number>;
  /** Makes a run in flight reject with ERR_ABORTED soon; nothing otherwise. */
  abort(): void;
  /** Rows applied by the run in flight or by the last one. */
  applied(): number;
}
