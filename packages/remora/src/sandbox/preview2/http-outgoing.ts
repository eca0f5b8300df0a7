/** `wasi:http/types` 0.2: a request that a guest sends, with its options and its body. */

import { ComponentError } from "../../component/index.ts";
import type { OpenRequest } from "../http/client.ts";
import { HttpFailure } from "../http/failure.ts";
import type { Header } from "../http/headers.ts";
import type { Machine } from "../machine/machine.ts";
import { Held } from "./held.ts";
import { BodyQueue } from "./http-body.ts";
import { Fields } from "./http-fields.ts";
import { OutputStream } from "./streams.ts";

type Method = { readonly tag: string; readonly val?: string };
type Scheme = { readonly tag: "HTTP" | "HTTPS" | "other"; readonly val?: string };

/** The resource `outgoing-request`. */
export class OutgoingRequest extends Held {
  readonly #headers: readonly Header[];
  readonly requestBody: BodyQueue;
  #body: OutgoingBody | undefined;
  #method: Method = { tag: "get" };
  #scheme: Scheme | undefined;
  #authority: string | undefined;
  #path: string | undefined;

  constructor(machine: Machine, headers: Fields) {
    super(machine);
    this.requestBody = new BodyQueue(machine.shared.limits.httpRequestBytesMax);
    this.#headers = headers.entries();
    headers.close();
  }

  body(): OutgoingBody {
    if (this.#body !== undefined) throw new ComponentError(undefined);
    this.#body = new OutgoingBody(this.machine, this.requestBody);
    return this.#body;
  }

  method(): Method {
    return this.#method;
  }

  setMethod(method: Method): void {
    const name = methodName(method);
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}$/.test(name)) throw new ComponentError(undefined);
    this.#method = method;
  }

  pathWithQuery(): string | undefined {
    return this.#path;
  }

  setPathWithQuery(path: string | undefined): void {
    // What could end the request line, or begin a fragment, is no path.
    if (path !== undefined && !/^[!-"$-~]{0,8000}$/.test(path)) throw new ComponentError(undefined);
    this.#path = path;
  }

  scheme(): Scheme | undefined {
    return this.#scheme;
  }

  setScheme(scheme: Scheme | undefined): void {
    if (scheme?.tag === "other" && !/^[a-z][a-z0-9+.-]{0,31}$/i.test(scheme.val ?? "")) {
      throw new ComponentError(undefined);
    }
    this.#scheme = scheme;
  }

  authority(): string | undefined {
    return this.#authority;
  }

  setAuthority(authority: string | undefined): void {
    if (authority !== undefined && !/^[A-Za-z0-9._\-[\]:]{1,300}$/.test(authority)) {
      throw new ComponentError(undefined);
    }
    this.#authority = authority;
  }

  headers(): Fields {
    return Fields.immutable(this.machine, this.#headers);
  }

  /** Starts it. @throws HttpFailure */
  start(options: RequestOptions | undefined): OpenRequest {
    if (this.#authority === undefined) throw new HttpFailure({ tag: "HTTP-request-URI-invalid" });
    const scheme = this.#scheme === undefined || this.#scheme.tag === "HTTPS" ? "https" : "http";
    if (this.#scheme?.tag === "other") throw new HttpFailure({ tag: "HTTP-protocol-error" });
    const path = this.#path ?? "/";
    const url = `${scheme}://${this.#authority}${path.startsWith("/") ? path : `/${path}`}`;
    const request = { method: methodName(this.#method), url, headers: this.#headers };
    const promisedBytes = contentLengthOf(this.#headers);
    const { writtenBytes } = this.requestBody;
    const isImpossible =
      promisedBytes !== undefined &&
      (writtenBytes > promisedBytes || (this.#body === undefined && promisedBytes > 0));
    if (isImpossible) throw new HttpFailure({ tag: "HTTP-request-body-size", val: BigInt(writtenBytes) });
    const open = this.machine.shared.http.open(request, options?.timeouts() ?? {});
    if (this.#body === undefined) open.end();
    else this.requestBody.attach(open, promisedBytes);
    return open;
  }
}

/** The resource `request-options`. */
export class RequestOptions extends Held {
  #connectNs: bigint | undefined;
  #firstByteNs: bigint | undefined;
  #betweenBytesNs: bigint | undefined;

  connectTimeout(): bigint | undefined {
    return this.#connectNs;
  }

  setConnectTimeout(ns: bigint | undefined): void {
    this.#connectNs = ns;
  }

  firstByteTimeout(): bigint | undefined {
    return this.#firstByteNs;
  }

  setFirstByteTimeout(ns: bigint | undefined): void {
    this.#firstByteNs = ns;
  }

  betweenBytesTimeout(): bigint | undefined {
    return this.#betweenBytesNs;
  }

  setBetweenBytesTimeout(ns: bigint | undefined): void {
    this.#betweenBytesNs = ns;
  }

  timeouts(): { connectMs?: number; firstByteMs?: number; betweenBytesMs?: number } {
    const { httpTimeMsMax } = this.machine.shared.limits;
    const ms = (ns: bigint): number => Math.min(Math.ceil(Number(ns) / 1e6), httpTimeMsMax);
    return {
      ...(this.#connectNs !== undefined && { connectMs: ms(this.#connectNs) }),
      ...(this.#firstByteNs !== undefined && { firstByteMs: ms(this.#firstByteNs) }),
      ...(this.#betweenBytesNs !== undefined && { betweenBytesMs: ms(this.#betweenBytesNs) }),
    };
  }
}

/** The resource `outgoing-body`. */
export class OutgoingBody extends Held {
  readonly #queue: BodyQueue;
  #hasStream = false;

  constructor(machine: Machine, queue: BodyQueue) {
    super(machine);
    this.#queue = queue;
  }

  static finish(body: OutgoingBody, trailers: Fields | undefined): void {
    body.close();
    if (trailers !== undefined && trailers.entries().length > 0) {
      trailers.close();
      body.#queue.abort();
      throw new ComponentError({ tag: "HTTP-request-trailer-section-size", val: 0 });
    }
    trailers?.close();
    const failure = body.#queue.finish();
    if (failure !== undefined) throw new ComponentError(failure);
  }

  write(): OutputStream {
    if (this.#hasStream) throw new ComponentError(undefined);
    this.#hasStream = true;
    return new OutputStream(this.machine, this.#queue);
  }

  /** Dropped without `finish`: the request is not whole, and the server must see that. */
  override [Symbol.dispose](): void {
    this.close();
    this.#queue.abort();
  }
}

function methodName(method: Method): string {
  return method.tag === "other" ? (method.val ?? "") : method.tag.toUpperCase();
}

function contentLengthOf(headers: readonly Header[]): number | undefined {
  const found = headers.filter(([name]) => name.toLowerCase() === "content-length");
  if (found.length === 0) return undefined;
  const text = found.map(([, value]) => Buffer.from(value).toString("latin1")).join();
  // Two lengths, or one that readers read differently, is how requests are smuggled.
  if (!/^(0|[1-9][0-9]{0,15})$/.test(text)) throw new HttpFailure({ tag: "HTTP-protocol-error" });
  return Number(text);
}
