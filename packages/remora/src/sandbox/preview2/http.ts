/**
 * `wasi:http` 0.2 for outgoing requests. https://github.com/WebAssembly/WASI 0.2, proposals/http. Serving requests
 * is not part of it: a component that wants the resources for that does not link.
 */

import { ComponentError } from "../../component/index.ts";
import { type HttpErrorCode, HttpFailure } from "../http/failure.ts";
import type { Header } from "../http/headers.ts";
import type { Machine } from "../machine/machine.ts";
import { Fields } from "./http-fields.ts";
import { FutureIncomingResponse, FutureTrailers, IncomingBody, IncomingResponse } from "./http-incoming.ts";
import { OutgoingBody, OutgoingRequest, RequestOptions } from "./http-outgoing.ts";
import { type IoError, StreamFailure } from "./streams.ts";

export function httpTypes(machine: Machine) {
  const fields = constructedBy(machine, Fields);
  return {
    Fields: Object.assign(fields, {
      fromList: (entries: readonly Header[]) => Fields.fromList(machine, entries),
    }),
    OutgoingRequest: constructedBy(machine, OutgoingRequest),
    RequestOptions: constructedBy(machine, RequestOptions),
    OutgoingBody,
    FutureIncomingResponse,
    IncomingResponse,
    IncomingBody,
    FutureTrailers,
    httpErrorCode: (error: IoError): HttpErrorCode | undefined => {
      const { cause } = error;
      // Streams of this interface fail with such a code; files fail with something else.
      return cause instanceof StreamFailure ? (cause.reason as HttpErrorCode) : undefined;
    },
  };
}

export function outgoingHandler(machine: Machine) {
  return {
    /** Both arguments are the host's from now on. */
    handle(request: OutgoingRequest, options: RequestOptions | undefined): FutureIncomingResponse {
      request.close();
      options?.close();
      try {
        return new FutureIncomingResponse(machine, request.start(options));
      } catch (error) {
        request.requestBody.abort();
        throw error instanceof HttpFailure ? new ComponentError(error.reason) : error;
      }
    },
  };
}

/** A class that a guest can construct: it does not know of machines, the host object does. */
function constructedBy<Args extends readonly unknown[], Instance extends object>(
  machine: Machine,
  Class: { new (machine: Machine, ...args: Args): Instance; readonly prototype: Instance },
): new (
  ...args: Args
) => Instance {
  function construct(...args: Args): Instance {
    return new Class(machine, ...args);
  }
  // With the prototype of the class: what it makes elsewhere is an instance of this, too.
  construct.prototype = Class.prototype;
  return construct as unknown as new (
    ...args: Args
  ) => Instance; // it returns an object, as a constructor may
}
