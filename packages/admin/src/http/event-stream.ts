/**
 * Server-sent events (HTML Living Standard, §9.2): what happens, as it happens. A reader that is slower than what
 * happens misses events and is told how many; one that does not read at all is disconnected.
 */

import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Happening } from "../operations.ts";

export interface EventStreamOptions {
  /** A line that says nothing, so that whatever stands between does not close what is quiet. */
  readonly beatMs: number;
  /** How long a reader may leave what was written unread. */
  readonly unreadMsMax: number;
}

export const defaultEventStream: EventStreamOptions = { beatMs: 15_000, unreadMsMax: 30_000 };

/** Says that a stream comes; who asks for the head alone gets no more. */
export function beginEvents(response: ServerResponse): ServerResponse {
  return response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
}

/** Writes until the reader goes, or what happens ends. Never rejects: there is nobody to tell. */
export async function writeEvents(
  response: ServerResponse,
  happenings: AsyncIterable<Happening>,
  { beatMs, unreadMsMax }: EventStreamOptions,
): Promise<void> {
  beginEvents(response).write(": connected\n\n");
  const beat = setInterval(() => response.writableLength === 0 && response.write(": still here\n\n"), beatMs);
  try {
    for await (const happening of happenings) {
      if (response.destroyed) return;
      const { kind, atMs } = happening;
      // JSON has no line ends of its own, so one line of data is one event, whatever a guest wrote.
      const text = `id: ${atMs}\nevent: ${kind}\ndata: ${JSON.stringify(happening)}\n\n`;
      if (!response.write(text)) await drained(response, unreadMsMax);
    }
  } finally {
    clearInterval(beat);
    response.end();
  }
}

async function drained(response: ServerResponse, unreadMsMax: number): Promise<void> {
  try {
    await once(response, "drain", { signal: AbortSignal.timeout(unreadMsMax) });
  } catch {
    // It went, or it does not read: in either case there is nobody to write to.
    response.destroy();
  }
}
