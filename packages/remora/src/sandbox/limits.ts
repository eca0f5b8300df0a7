/**
 * What a guest may make the host hold. The engine bounds what runs inside the guest; these bound what it leaves
 * outside, for one plugin unless it says otherwise. Reaching one is answered in the guest's terms where it has any
 * (errno, error result), else it ends the instance with `sandbox/limit-exceeded`.
 */

export interface SandboxLimits {
  /** Open files, folders, sockets and other host resources, of one instance. */
  readonly handlesMax: number;
  /** Bytes in the files of the plugin's own root. */
  readonly fileBytesMax: number;
  /** Files, folders and links in the plugin's own root. */
  readonly filesMax: number;
  /** Bytes of one path. */
  readonly pathBytesMax: number;
  /** Entries of one folder that a guest may list; a larger one cannot be listed. */
  readonly folderEntriesMax: number;
  /** Random bytes of one request. */
  readonly randomBytesPerRequestMax: number;
  /** Random bytes of one call into the guest. */
  readonly randomBytesPerCallMax: number;
  /** Bytes of one log line; the rest of a longer one is cut. */
  readonly logLineBytesMax: number;
  /** Log lines of one second; what exceeds it is counted, and the count is logged. */
  readonly logLinesPerSecondMax: number;
  /** Bytes that one read or write of a file may carry; of a longer one so many are done. */
  readonly transferBytesMax: number;
  /** Longest time that a guest may wait in one operation, milliseconds; beyond it the wait is refused. */
  readonly waitMsMax: number;
  /** Things that one poll may wait for. */
  readonly pollSubscriptionsMax: number;
  /** HTTP requests at a time. */
  readonly httpPendingMax: number;
  /** HTTP requests of one minute. */
  readonly httpPerMinuteMax: number;
  readonly httpRequestBytesMax: number;
  readonly httpResponseBytesMax: number;
  /** From the start to the last byte, redirects included, milliseconds. */
  readonly httpTimeMsMax: number;
  readonly httpRedirectsMax: number;
  /** Headers of one message, each value counted. */
  readonly httpHeadersMax: number;
  /** Names and values of one message together. */
  readonly httpHeaderBytesMax: number;
  /** WebSockets at a time. */
  readonly webSocketsMax: number;
  /** Bytes of one message, received or sent; and of all that wait to be received, or sent, of one connection. */
  readonly webSocketMessageBytesMax: number;
  /** Messages that wait to be received; the peer's next ones stay with it. */
  readonly webSocketMessagesMax: number;
  /** Names that are being looked up, for sockets, requests and WebSockets together. */
  readonly lookupsPendingMax: number;
  /** Sockets at a time. In one turn of the event loop no more than 1,024 are opened, though they were closed at once. */
  readonly socketsMax: number;
  /** TCP connections that wait to be accepted, of one listening socket; more are turned away. */
  readonly connectionsWaitingMax: number;
  /** Until a TCP connection is there, milliseconds. */
  readonly connectTimeMsMax: number;
  /** Datagrams that wait to be received, of one socket; more are lost. */
  readonly datagramsMax: number;
  readonly datagramsBytesMax: number;
  /** Programs at a time. */
  readonly execPendingMax: number;
  /** Until a program is killed, milliseconds. */
  readonly execTimeMsMax: number;
  readonly execInputBytesMax: number;
  /** Standard output and standard error together. */
  readonly execOutputBytesMax: number;
  /** Keys in the plugin's store. */
  readonly kvKeysMax: number;
  /** Bytes of one value. */
  readonly kvValueBytesMax: number;
  /** Keys and values in the plugin's store together. */
  readonly kvBytesMax: number;
}

export const defaultSandboxLimits: SandboxLimits = {
  handlesMax: 128,
  fileBytesMax: 64 * 1024 * 1024,
  filesMax: 4_096,
  pathBytesMax: 4_096,
  folderEntriesMax: 16_384,
  randomBytesPerRequestMax: 1024 * 1024,
  randomBytesPerCallMax: 16 * 1024 * 1024,
  logLineBytesMax: 4_096,
  logLinesPerSecondMax: 200,
  transferBytesMax: 4 * 1024 * 1024,
  waitMsMax: 30_000,
  pollSubscriptionsMax: 256,
  httpPendingMax: 16,
  httpPerMinuteMax: 600,
  httpRequestBytesMax: 4 * 1024 * 1024,
  httpResponseBytesMax: 16 * 1024 * 1024,
  httpTimeMsMax: 30_000,
  httpRedirectsMax: 5,
  httpHeadersMax: 100,
  httpHeaderBytesMax: 32 * 1024,
  webSocketsMax: 8,
  webSocketMessageBytesMax: 1024 * 1024,
  webSocketMessagesMax: 64,
  lookupsPendingMax: 16,
  socketsMax: 16,
  connectionsWaitingMax: 16,
  connectTimeMsMax: 10_000,
  datagramsMax: 256,
  datagramsBytesMax: 1024 * 1024,
  execPendingMax: 4,
  execTimeMsMax: 10_000,
  execInputBytesMax: 1024 * 1024,
  execOutputBytesMax: 1024 * 1024,
  kvKeysMax: 10_000,
  kvValueBytesMax: 1024 * 1024,
  kvBytesMax: 16 * 1024 * 1024,
};

/** @throws RangeError when a limit is not a whole number, or negative. */
export function sandboxLimits(limits: Partial<SandboxLimits> = {}): SandboxLimits {
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(defaultSandboxLimits, name))
      throw new RangeError(`Cannot set the limit "${name}": no such limit`);
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`Cannot set the limit "${name}" to ${String(value)}: expected a whole number`);
    }
  }
  return { ...defaultSandboxLimits, ...limits };
}
