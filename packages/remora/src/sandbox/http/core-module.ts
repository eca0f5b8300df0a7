/**
 * `remora_http`: HTTP for core modules, in three functions of numbers, for languages that have no components. A request is
 * lines of text ("POST https://name/path", then "Name: value") and a body; what came back is kept until the next request
 * and read in pieces. It passes the gate and its bounds as every request does; redirects are followed.
 */

import { joinedBytes } from "../../base/index.ts";
import { asyncHostFunction } from "../../component/index.ts";
import { readsGuestMemory } from "../../engine/index.ts";
import { sandboxErrors } from "../errors.ts";
import { FsError } from "../fs/errno.ts";
import type { Machine } from "../machine/machine.ts";
import type { CoreImport } from "../preview1/functions.ts";
import { GuestBytes } from "../preview1/guest-bytes.ts";
import { HttpFailure } from "./failure.ts";
import { type Header, headerProblem } from "./headers.ts";
import { requestWhole, type WholeRequest, type WholeResponse } from "./request.ts";

export const httpModule = "remora_http";

/**
 * `send(head, head_length, body, body_length)` gives the status, or a negative answer; the two others are about what the
 * last `send` received: `size(part)` its bytes, `read(part, offset, into, length)` how many were copied. Part 0 is the
 * header lines, part 1 the body.
 */
export const httpNames: readonly string[] = ["send", "size", "read"];

/** What `send` gives when there is no status. */
export const httpAnswers = {
  /** The origin is not granted, or its address is not public. */
  denied: -1,
  /** The request is none, or has what a guest may not send. */
  malformed: -2,
  /** Too large, or too many of them. */
  tooMuch: -3,
  /** No such name, no connection, no trust in the certificate, or no HTTP. */
  unreachable: -4,
  timeout: -5,
} as const;

/** Lines of a request: a URL and headers, each of which has bounds of its own. */
const headBytesMax = 65_536;

const nothing = new Uint8Array(0);

interface Received {
  readonly parts: readonly Uint8Array[];
  /** Where it came from. */
  readonly url: string;
  /** How often something had been taken by then. */
  readonly narrowings: number;
}

const nothingReceived: Received = { parts: [], url: "", narrowings: 0 };

export function httpFunctions(machine: Machine): Readonly<Record<string, CoreImport>> {
  const { shared } = machine;
  const bytes = new GuestBytes(machine.guest.memory);
  let received = nothingReceived;
  /** Of what was received, as long as it is granted. */
  const part = (index: number): Uint8Array => {
    const { gate, http } = shared;
    if (gate.narrowings !== received.narrowings && (received.url === "" || !http.gives(received.url)))
      received = nothingReceived;
    return received.parts[index] ?? nothing;
  };
  const send = async (request: WholeRequest): Promise<number> => {
    try {
      const response = await requestWhole(shared.http, request);
      const { narrowings } = shared.gate;
      received = { parts: [headOf(response), response.body], url: response.url, narrowings };
      return response.status;
    } catch (error) {
      if (error instanceof HttpFailure) return answerOf(error);
      throw error;
    }
  };
  const functions: Record<string, CoreImport> = {
    send: (...params) => {
      received = nothingReceived;
      const [head = 0, headLength = 0, body = 0, bodyLength = 0] = params as number[];
      const request = inMemory(() => {
        if (headLength >>> 0 > headBytesMax) return undefined;
        const copy = bytes.slice(body, bodyLength).slice(); // the guest's memory changes while it waits
        return requestOf(bytes.text(head, headLength, headBytesMax), copy);
      });
      if (request === undefined) return httpAnswers.malformed;
      if (shared.waiting.suspends) return send(request);
      const { plugin } = shared;
      return machine.guest.abort(sandboxErrors["cannot-wait"]({ plugin, operation: `${httpModule}.send` }));
    },
    size: (index) => part(Number(index)).length,
    read: (...params) => {
      const [index = 0, offset = 0, into = 0, length = 0] = params as number[];
      const from = part(index).subarray(offset >>> 0, (offset >>> 0) + (length >>> 0));
      const isWritten = inMemory(() => {
        bytes.set(into, from);
        return true;
      });
      return isWritten ? from.length : httpAnswers.malformed;
    },
  };
  const reads = [
    { pointer: 0, count: 1 },
    { pointer: 2, count: 3 },
  ];
  return Object.fromEntries(
    Object.entries(functions).map(([name, made]) => {
      const imported = readsGuestMemory(made, name === "send" ? reads : []);
      return [name, name === "send" && shared.waiting.suspends ? asyncHostFunction(imported) : imported];
    }),
  );
}

/** Undefined for a pointer outside of memory, or text that is none. */
function inMemory<Result>(act: () => Result): Result | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof FsError) return undefined;
    throw error;
  }
}

/** Undefined when the first line or a header is none, or a header is not for guests to send. */
function requestOf(head: string, body: Uint8Array): WholeRequest | undefined {
  const [first = "", ...lines] = head.replace(/\n$/, "").split("\n");
  const [, method, url] = /^(\S+) (\S+)$/.exec(first) ?? [];
  if (method === undefined || url === undefined) return undefined;
  const headers: Header[] = [];
  for (const line of lines) {
    const [, name, value] = /^([^:]*): ?(.*)$/s.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    const header: Header = [name, new TextEncoder().encode(value)];
    if (headerProblem(header) !== undefined) return undefined;
    headers.push(header);
  }
  return { method, url, headers, ...(body.length > 0 && { body }) };
}

function headOf({ headers }: WholeResponse): Uint8Array {
  const lines = headers.flatMap(([name, value]) => [Buffer.from(`${name}: `), value, Buffer.from("\n")]);
  return joinedBytes(lines);
}

function answerOf({ reason }: HttpFailure): number {
  switch (reason.tag) {
    case "HTTP-request-denied":
    case "destination-IP-prohibited":
      return httpAnswers.denied;
    case "HTTP-request-method-invalid":
    case "HTTP-request-URI-invalid":
    case "HTTP-request-URI-too-long":
    case "HTTP-request-length-required":
      return httpAnswers.malformed;
    case "HTTP-request-body-size":
    case "HTTP-request-header-section-size":
    case "HTTP-response-body-size":
    case "HTTP-response-header-section-size":
    case "connection-limit-reached":
    case "loop-detected":
      return httpAnswers.tooMuch;
    case "HTTP-response-timeout":
    case "connection-timeout":
    case "connection-read-timeout":
    case "connection-write-timeout":
    case "DNS-timeout":
      return httpAnswers.timeout;
    default:
      return httpAnswers.unreachable;
  }
}
