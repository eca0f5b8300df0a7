/**
 * Headers that a guest may send. Names are tokens, values have no line ends, and what decides where a message ends
 * or whom it is for (framing, connection, host) is the host's: a guest that could write those could smuggle a
 * second request. RFC 9110 §5, RFC 9112 §6 and §11.2.
 */

export type HeaderProblem = "invalid-syntax" | "forbidden";

export interface HeaderBounds {
  readonly httpHeadersMax: number;
  readonly httpHeaderBytesMax: number;
}

/** A name as it was written and a value as bytes. */
export type Header = readonly [name: string, value: Uint8Array];

const forbidden: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "via",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
]);

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/;

/** What is wrong with a header, if anything. */
export function headerProblem([name, value]: Header): HeaderProblem | undefined {
  if (!token.test(name)) return "invalid-syntax";
  // Visible bytes, space and tab; bytes beyond ASCII as they are.
  for (const byte of value) if ((byte < 32 && byte !== 9) || byte === 127) return "invalid-syntax";
  return isForbiddenName(name) ? "forbidden" : undefined;
}

/** Some servers take "_" for "-": both are refused, and a length beside the one that is checked. */
export function isForbiddenName(name: string): boolean {
  const lower = name.toLowerCase();
  const dashed = lower.replaceAll("_", "-");
  return forbidden.has(dashed) || (dashed === "content-length" && lower !== dashed);
}

/** Whether so many headers of so many bytes may be had. */
export function fitsBounds(headers: readonly Header[], bounds: HeaderBounds): boolean {
  if (headers.length > bounds.httpHeadersMax) return false;
  return headerBytes(headers) <= bounds.httpHeaderBytesMax;
}

export function headerBytes(headers: readonly Header[]): number {
  return headers.reduce((bytes, [name, value]) => bytes + name.length + value.length, 0);
}

/** What says who somebody is, by what it is called: there is no list of those that services have invented. */
const credential = /auth|cookie|token|key|secret|session|signature|password|credential|csrf|xsrf/i;

/** Left behind when a redirect leads to another origin: it was meant for the first. */
export function isCredential(name: string): boolean {
  return credential.test(name);
}
