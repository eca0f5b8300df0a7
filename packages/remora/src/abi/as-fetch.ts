/**
 * The imports of `as-fetch`, the HTTP client of AssemblyScript guests, in its waiting form: the guest calls, is
 * unwound until the response is there, and gets the body as an ArrayBuffer. The interface has no room for a failure:
 * the host decides what body stands for one.
 */

import type { CoreFunctions } from "../engine/index.ts";
import { arrayBufferId, newObject, readArrayBuffer, readReferences, readString } from "./assemblyscript.ts";
import { type Asyncify, stackBytes } from "./asyncify.ts";
import { addressOf, GuestBytes, type MemorySource } from "./guest-bytes.ts";

export interface FetchRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

export interface AsFetchOptions {
  readonly asyncify: Asyncify;
  readonly memory: MemorySource;
  /** Sends the request and gives the response's body. Must not reject. */
  readonly send: (request: FetchRequest) => Promise<Uint8Array>;
}

/** Text of one address or header, in the guest's memory. */
export const textBytesMax = 65_536;
export const headersMax = 100;
export const bodyBytesMax = 4 * 1024 * 1024;

export const asFetchModule = "as-fetch";

/** The functions of the import module `as-fetch`. */
export function asFetchImports({ asyncify, memory, send }: AsFetchOptions) {
  const bytes = new GuestBytes(memory);
  const waitFor = (request: FetchRequest) => asyncify.wait(() => send(request), lowerBody);
  const lowerBody = (functions: CoreFunctions, body: Uint8Array) => {
    const pointer = newObject(functions, body.length, arrayBufferId);
    bytes.set(pointer, body, "the response's body");
    return pointer;
  };
  return {
    /**
     * The guest names a frame of two words. Its library would have the stack kept right behind it, over the guest's
     * own constants; here it gets a place of its own.
     */
    _initAsyncify(frame: number): void {
      const { functions } = asyncify;
      const from = newObject(functions, stackBytes, arrayBufferId);
      functions.__pin?.(from);
      asyncify.keepStack(bytes, addressOf(frame, "the asyncify frame"), { from, to: from + stackBytes });
    },
    _fetchGETSync(url: number, _mode: number, headers: number): number {
      return waitFor({ method: "GET", ...address(bytes, url, headers), body: new Uint8Array(0) });
    },
    _fetchPOSTSync(url: number, _mode: number, headers: number, body: number): number {
      const sent = readArrayBuffer(bytes, body, "the request's body", bodyBytesMax);
      return waitFor({ method: "POST", ...address(bytes, url, headers), body: sent.slice() });
    },
  };
}

function address(bytes: GuestBytes, url: number, headers: number): Pick<FetchRequest, "url" | "headers"> {
  const pairs = readReferences(bytes, headers, "the request's headers", headersMax).map(
    (pair): readonly [string, string] => {
      const [name, value] = readReferences(bytes, pair, "a header", 2);
      return [text(bytes, name ?? 0, "a header's name"), text(bytes, value ?? 0, "a header's value")];
    },
  );
  return { url: text(bytes, url, "the request's address"), headers: pairs };
}

function text(bytes: GuestBytes, pointer: number, what: string): string {
  return readString(bytes, pointer, what, textBytesMax);
}
