/** How much of a peer's input is looked at before it is refused. The peer controls all of it. */

export interface CotLimits {
  /** Bytes of one event, in either form and without framing. */
  readonly eventBytesMax: number;
  /** Elements inside each other, the event itself included. */
  readonly depthMax: number;
  /** Attributes of one element. */
  readonly attributesMax: number;
  /**
   * Bytes of one bad event that are skipped to find the next one. A larger one ends the connection, so
   * nobody can make us search forever.
   */
  readonly skippedBytesMax: number;
  /** Bad events one behind the other, without a good one between, before the connection ends. */
  readonly badEventsMax: number;
}

export const cotLimitsDefault: CotLimits = {
  eventBytesMax: 1 << 20,
  depthMax: 64,
  attributesMax: 64,
  skippedBytesMax: 16 << 20,
  badEventsMax: 100,
};

/** The defaults, with some replaced. */
export function cotLimits(changes: Partial<CotLimits> = {}): CotLimits {
  return { ...cotLimitsDefault, ...changes };
}
