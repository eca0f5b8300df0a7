/**
 * One Cursor-on-Target event, as filters, routes, plugins and the network see it. Whatever it was read from,
 * XML or TAK protocol v1, the fields are the same; each group of them is parsed when first asked for.
 */

/** How an event is written on the wire; not how a stream of events is framed. */
export type CotFormat = "xml" | "protobuf";

export interface CotMessage {
  /** The form that it arrived in. */
  readonly format: CotFormat;

  /** Type atoms, `a-f-G-U-C`. */
  readonly type: string;
  readonly uid: string;
  /** How the position was made, `m-g`; empty when the event does not say. */
  readonly how: string;

  /** Milliseconds since 1970, UTC. */
  readonly timeMs: number;
  readonly startMs: number;
  readonly staleMs: number;
  /** `timeMs` in ISO 8601, as in the XML where it came from XML. */
  readonly time: string;

  /** Degrees, WGS 84. */
  readonly lat: number;
  readonly lon: number;
  /** Metres above the ellipsoid; undefined where unknown (9999999 in XML, 999999 in protobuf). */
  readonly hae: number | undefined;
  /** Circular and linear error in metres; undefined where unknown. */
  readonly ce: number | undefined;
  readonly le: number | undefined;

  /** From the detail element; reading one of these parses it. */
  readonly callsign: string | undefined;
  /** `__group@name`, which TAK clients use for the team's colour. */
  readonly groupName: string | undefined;
  /** `__group@role`. */
  readonly groupRole: string | undefined;

  /** The event as bytes of one form, without stream framing: itself, or transcoded once and kept. */
  bytes(format: CotFormat): Uint8Array;
  /** The whole event as XML text. */
  xml(): string;
}
