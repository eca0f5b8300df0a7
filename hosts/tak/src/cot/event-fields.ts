/** The head of an event in full, as both forms carry it: what `CotMessage` shows and what only the wire needs. */

export interface EventFields {
  readonly type: string;
  readonly uid: string;
  readonly how: string;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly startMs: number;
  readonly staleMs: number;
  /** Degrees. */
  readonly lat: number;
  readonly lon: number;
  /** Metres; undefined where unknown. */
  readonly hae: number | undefined;
  readonly ce: number | undefined;
  readonly le: number | undefined;
  /** Empty where the event does not say. */
  readonly access: string;
  readonly qos: string;
  readonly opex: string;
}
