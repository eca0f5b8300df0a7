/** The value with which a world's `result` fails: thrown by an export, and by a host function that wants `err`. */

/**
 * The error half of a top-level `result`. An export whose result is `err` throws one; a host function throws
 * one, or any object with a `payload`, to return `err`.
 */
export class ComponentError<Payload = unknown> extends Error {
  readonly payload: Payload;

  constructor(payload: Payload) {
    super(typeof payload === "string" ? payload : "The call returned an error (see payload)");
    this.name = "ComponentError";
    this.payload = payload;
  }
}
