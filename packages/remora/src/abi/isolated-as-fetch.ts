/** The imports of `as-fetch` for a guest behind a wall: what it asks for is read when it has left its call. */

import { type GuestAccess, readsGuestMemory } from "../engine/index.ts";
import { bodyBytesMax, type FetchRequest, headersMax, textBytesMax } from "./as-fetch.ts";
import { addressOf } from "./guest-bytes.ts";
import type { IsolatedAsyncify } from "./isolated-asyncify.ts";
import type { IsolatedMemory } from "./isolated-memory.ts";

export interface IsolatedAsFetchOptions {
  readonly asyncify: IsolatedAsyncify;
  readonly guest: GuestAccess;
  /** Sends the request and gives the response's body. Must not reject. */
  readonly send: (request: FetchRequest) => Promise<Uint8Array>;
}

/** The functions of the import module `as-fetch`. */
export function isolatedAsFetchImports({ asyncify, guest, send }: IsolatedAsFetchOptions) {
  const fetch = (method: FetchRequest["method"], url: number, headers: number, body: number) =>
    asyncify.wait(guest, async (memory) =>
      send({
        method,
        url: await text(memory, url, "the request's address"),
        headers: await headersAt(memory, addressOf(headers, "the request's headers")),
        body: await memory.object(addressOf(body, "the request's body"), "the request's body", bodyBytesMax),
      }),
    );
  return {
    _initAsyncify: readsGuestMemory((frame: number): void => asyncify.keepStack(guest, frame), []),
    _fetchGETSync: readsGuestMemory(
      (url: number, _mode: number, headers: number): number => fetch("GET", url, headers, 0),
      [],
    ),
    _fetchPOSTSync: readsGuestMemory(
      (url: number, _mode: number, headers: number, body: number): number =>
        fetch("POST", url, headers, body),
      [],
    ),
  };
}

async function headersAt(memory: IsolatedMemory, pointer: number): Promise<FetchRequest["headers"]> {
  const headers: [string, string][] = [];
  for (const pair of await memory.references(pointer, "the request's headers", headersMax)) {
    const [name = 0, value = 0] = await memory.references(pair, "a header", 2);
    headers.push([
      await text(memory, name, "a header's name"),
      await text(memory, value, "a header's value"),
    ]);
  }
  return headers;
}

function text(memory: IsolatedMemory, pointer: number, what: string): Promise<string> {
  return memory.string(addressOf(pointer, what), what, textBytesMax);
}
