import { mark, rewind } from "../abi/arena";
import { liftOptionString, liftString } from "../abi/values";

// @ts-ignore: decorator
@external("remora:tak/messages@0.1.0", "[method]message.cot-type")
declare function readCotType(self: i32, result: usize): void;
// @ts-ignore: decorator
@external("remora:tak/messages@0.1.0", "[method]message.uid")
declare function readUid(self: i32, result: usize): void;
// @ts-ignore: decorator
@external("remora:tak/messages@0.1.0", "[method]message.how")
declare function readHow(self: i32, result: usize): void;
// @ts-ignore: decorator
@external("remora:tak/messages@0.1.0", "[method]message.lat")
declare function readLat(self: i32): f64;
// @ts-ignore: decorator
@external("remora:tak/messages@0.1.0", "[method]message.lon")
declare function readLon(self: i32): f64;
// @ts-ignore: decorator
@external("remora:tak/messages@0.1.0", "[method]message.hae")
declare function readHae(self: i32, result: usize): void;
// @ts-ignore: decorator
@external("remora:tak/messages@0.1.0", "[method]message.ce")
declare function readCe(self: i32, result: usize): void;
// @ts-ignore: decorator
@external("remora:tak/messages@0.1.0", "[method]message.le")
declare function readLe(self: i32, result: usize): void;
// @ts-ignore: decorator
@external("remora:tak/messages@0.1.0", "[method]message.time")
declare function readTime(self: i32, result: usize): void;
// @ts-ignore: decorator
@external("remora:tak/messages@0.1.0", "[method]message.time-ms")
declare function readTimeMs(self: i32): i64;
// @ts-ignore: decorator
@external("remora:tak/messages@0.1.0", "[method]message.stale-ms")
declare function readStaleMs(self: i32): i64;
// @ts-ignore: decorator
@external("remora:tak/messages@0.1.0", "[method]message.callsign")
declare function readCallsign(self: i32, result: usize): void;
// @ts-ignore: decorator
@external("remora:tak/messages@0.1.0", "[method]message.group")
declare function readGroup(self: i32, result: usize): void;
// @ts-ignore: decorator
@external("remora:tak/messages@0.1.0", "[method]message.team")
declare function readTeam(self: i32, result: usize): void;
// @ts-ignore: decorator
@external("remora:tak/messages@0.1.0", "[method]message.xml-payload")
declare function readXmlPayload(self: i32, result: usize): void;
// @ts-ignore: decorator
@external("remora:tak/messages@0.1.0", "[resource-drop]message")
declare function drop(self: i32): void;

/**
 * One Cursor-on-Target event, which stays with the host: each read is a call, so read a field once. Lent for the
 * call, and given back by the glue when it returns. The reference is the handle itself; nothing is allocated.
 */
// @ts-ignore: decorator
@unmanaged
export class LazyMessage {
  private constructor() {}

  /** Type atoms, `a-f-G-E-V`. */
  get cotType(): string {
    return text(this, readCotType);
  }

  /** Names the entity. */
  get uid(): string {
    return text(this, readUid);
  }

  /** How the position was made, `m-g`; empty where the event does not say. */
  get how(): string {
    return text(this, readHow);
  }

  /** Degrees north, WGS 84. */
  get lat(): f64 {
    return readLat(handleOf(this));
  }

  /** Degrees east, WGS 84. */
  get lon(): f64 {
    return readLon(handleOf(this));
  }

  /** Metres above the ellipsoid; NaN where unknown. */
  get hae(): f64 {
    return optionNumber(this, readHae);
  }

  /** Circular error of the position in metres; NaN where unknown. */
  get ce(): f64 {
    return optionNumber(this, readCe);
  }

  /** Error of the height in metres; NaN where unknown. */
  get le(): f64 {
    return optionNumber(this, readLe);
  }

  /** When the event was made, ISO 8601. */
  get time(): string {
    return text(this, readTime);
  }

  /** The same in milliseconds since 1970, UTC. */
  get timeMs(): i64 {
    return readTimeMs(handleOf(this));
  }

  /** When the event stops being true, in milliseconds since 1970, UTC. */
  get staleMs(): i64 {
    return readStaleMs(handleOf(this));
  }

  /** What people call the entity. */
  get callsign(): string | null {
    return optionText(this, readCallsign);
  }

  get group(): string | null {
    return optionText(this, readGroup);
  }

  /** The colour of its team, `Cyan`. */
  get team(): string | null {
    return optionText(this, readTeam);
  }

  /** The whole event as XML; null where the host does not hand it out. */
  get xmlPayload(): string | null {
    return optionText(this, readXmlPayload);
  }
}

/** The message behind a handle. */
// @ts-ignore: decorator
@inline
export function lazyMessage(handle: i32): LazyMessage {
  return changetype<LazyMessage>(<usize>handle);
}

/** Gives a lent message back. The canonical ABI traps when a call returns without it. */
// @ts-ignore: decorator
@inline
export function giveBack(handle: i32): void {
  drop(handle);
}

// @ts-ignore: decorator
@inline
function handleOf(message: LazyMessage): i32 {
  return <i32>changetype<usize>(message);
}

// @ts-ignore: decorator
@inline
function text(message: LazyMessage, read: (self: i32, result: usize) => void): string {
  const result = memory.data(8, 4);
  const before = mark();
  read(handleOf(message), result);
  const value = liftString(load<usize>(result), load<usize>(result, 4));
  rewind(before);
  return value;
}

// @ts-ignore: decorator
@inline
function optionText(message: LazyMessage, read: (self: i32, result: usize) => void): string | null {
  const result = memory.data(12, 4);
  const before = mark();
  read(handleOf(message), result);
  const value = liftOptionString(load<u8>(result), load<usize>(result, 4), load<usize>(result, 8));
  rewind(before);
  return value;
}

// @ts-ignore: decorator
@inline
function optionNumber(message: LazyMessage, read: (self: i32, result: usize) => void): f64 {
  const result = memory.data(16, 8);
  read(handleOf(message), result);
  return load<u8>(result) ? load<f64>(result, 8) : NaN;
}
