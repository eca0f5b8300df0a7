/** What a guest may make the host hold while it runs. */
export interface InstanceLimits {
  /** Handles to resources, in all component instances of the one that is made. */
  readonly handlesMax: number;
  /**
   * Bytes that the values of one call may take of the host's heap (see `abi/held.ts`), or of one guest's for another; of a call to
   * the host, together with the arguments of calls that it has not answered.
   */
  readonly liftBytesMax: number;
  /** Calls under way and threads, of guests whose calls may wait. */
  readonly tasksMax: number;
  /** Streams and futures that the guest gave to the host and that the host still has. */
  readonly hostEndsMax: number;
}

export const defaultInstanceLimits: InstanceLimits = {
  handlesMax: 100_000,
  liftBytesMax: 64 * 1024 * 1024,
  tasksMax: 256,
  hostEndsMax: 1_024,
};
