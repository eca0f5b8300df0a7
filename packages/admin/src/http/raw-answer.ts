/** Answers where there is no request to reply to: to one that cannot be read, and to one that wanted a socket. */

import { maxHeaderSize, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { adminErrors } from "../errors.ts";
import type { MountedAnswer } from "../mount.ts";
import { problemOf } from "./problem.ts";

/** The whole of it; whoever writes it closes the connection. */
export function rawAnswer({ status, body }: Pick<MountedAnswer, "status" | "body">): string {
  const text = JSON.stringify(body);
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nconnection: close\r\n` +
    `content-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
  );
}

/** Tells whoever sent what Node cannot read, or did not send it in time. */
export function answerUnreadable({ code = "" }: { readonly code?: string }, socket: Socket): void {
  if (code !== "ECONNRESET" && socket.writable) {
    const [status, problem] = unreadable[code] ?? [400, "it is no request of HTTP/1.1"];
    socket.write(rawAnswer({ status, body: problemOf(adminErrors["bad-request"]({ problem })).body }));
  }
  socket.destroy();
}

const unreadable: Readonly<Record<string, readonly [status: number, problem: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, "it did not arrive in time"],
  HPE_HEADER_OVERFLOW: [431, `its headers have more than ${maxHeaderSize} bytes`],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, "the extensions of its chunks are too long"],
};
