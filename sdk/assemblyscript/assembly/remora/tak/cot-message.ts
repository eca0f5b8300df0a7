import { liftOptionString, liftString } from "../abi/values";

/**
 * One Cursor-on-Target event, where the host put it: its fields stand in the order and at the offsets of the
 * record `cot-message`. A text is copied when it is read, so read it once. Good until the call returns.
 */
// @ts-ignore: decorator
@unmanaged
export class CotMessage {
  private cotTypeAt: usize;
  private cotTypeLength: usize;
  private uidAt: usize;
  private uidLength: usize;
  private callsignTag: u8;
  private callsignAt: usize;
  private callsignLength: usize;
  private groupTag: u8;
  private groupAt: usize;
  private groupLength: usize;
  private teamTag: u8;
  private teamAt: usize;
  private teamLength: usize;
  /** Degrees north, WGS 84. */
  readonly lat: f64;
  /** Degrees east, WGS 84. */
  readonly lon: f64;
  private haeTag: u8;
  private haeValue: f64;
  private timeAt: usize;
  private timeLength: usize;
  private xmlTag: u8;
  private xmlAt: usize;
  private xmlLength: usize;

  /** Type atoms, `a-f-G-E-V`. */
  get cotType(): string {
    return liftString(this.cotTypeAt, this.cotTypeLength);
  }

  /** Names the entity. */
  get uid(): string {
    return liftString(this.uidAt, this.uidLength);
  }

  /** What people call the entity. */
  get callsign(): string | null {
    return liftOptionString(this.callsignTag, this.callsignAt, this.callsignLength);
  }

  get group(): string | null {
    return liftOptionString(this.groupTag, this.groupAt, this.groupLength);
  }

  /** The colour of its team, `Cyan`. */
  get team(): string | null {
    return liftOptionString(this.teamTag, this.teamAt, this.teamLength);
  }

  /** Metres above the ellipsoid; NaN where unknown. */
  get hae(): f64 {
    return this.haeTag ? this.haeValue : NaN;
  }

  /** When the event was made, ISO 8601. */
  get time(): string {
    return liftString(this.timeAt, this.timeLength);
  }

  /** The whole event as XML; null where the host does not hand it out. */
  get xmlPayload(): string | null {
    return liftOptionString(this.xmlTag, this.xmlAt, this.xmlLength);
  }
}

/** Bytes from one message of a list to the next: the record's size, which its alignment of eight rounds up. */
export const COT_MESSAGE_STRIDE: usize = (offsetof<CotMessage>() + 7) & ~7;
