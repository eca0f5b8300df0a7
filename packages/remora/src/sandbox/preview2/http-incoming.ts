/** `wasi:http/types` 0.2: a response that a guest receives, from the promise of one to its body. */

import { ComponentError } from "../../component/index.ts";
import type { OpenRequest, OpenResponse } from "../http/client.ts";
import { httpFailureOf } from "../http/failure.ts";
import type { Machine } from "../machine/machine.ts";
import { Change } from "../net/change.ts";
import { Held } from "./held.ts";
import { bodySource } from "./http-body.ts";
import { Fields } from "./http-fields.ts";
import { always, Pollable } from "./poll.ts";
import { InputStream } from "./streams.ts";

/** A result inside of another value. */
type Result<Ok> = { readonly tag: "ok"; readonly val: Ok } | { readonly tag: "err"; readonly val?: unknown };

/** The resource `future-incoming-response`. */
export class FutureIncomingResponse extends Held {
  readonly #open: OpenRequest;
  #outcome: Result<OpenResponse> | undefined;
  #isTaken = false;
  readonly #change = new Change();

  constructor(machine: Machine, open: OpenRequest) {
    super(machine);
    this.#open = open;
    const settled = open.response.then(
      (response) => {
        this.#outcome = { tag: "ok", val: response };
      },
      (error: unknown) => {
        this.#outcome = { tag: "err", val: httpFailureOf(error).reason };
      },
    );
    settled.then(() => this.#change.signal());
  }

  subscribe(): Pollable {
    return new Pollable(this.machine, {
      kind: "event",
      isReady: () => this.#outcome !== undefined,
      change: () => this.#change,
    });
  }

  get(): Result<Result<IncomingResponse>> | undefined {
    if (this.#outcome === undefined) return undefined;
    if (this.#isTaken) return { tag: "err" };
    this.#isTaken = true;
    // It may have been taken since it came, or since it failed.
    if (!this.#open.isGiven || (this.#outcome.tag === "ok" && this.#open.isClosed)) {
      return { tag: "ok", val: { tag: "err", val: { tag: "connection-terminated" } } };
    }
    if (this.#outcome.tag === "err") return { tag: "ok", val: this.#outcome };
    return {
      tag: "ok",
      val: { tag: "ok", val: new IncomingResponse(this.machine, this.#outcome.val, this.#open) },
    };
  }

  override close(): void {
    super.close();
    if (!this.#isTaken) this.#open.close();
  }
}

/** The resource `incoming-response`. When its origin is taken it says nothing more; its functions know no failure to say so. */
export class IncomingResponse extends Held {
  readonly #response: OpenResponse;
  readonly #open: OpenRequest;
  #isConsumed = false;

  constructor(machine: Machine, response: OpenResponse, open: OpenRequest) {
    super(machine);
    this.#response = response;
    this.#open = open;
  }

  /** 0 is no status. */
  status(): number {
    return this.#open.isGiven ? this.#response.status : 0;
  }

  headers(): Fields {
    return Fields.received(this.machine, this.#response.headers, () => this.#open.isGiven);
  }

  consume(): IncomingBody {
    if (this.#isConsumed || !this.#open.isGiven) throw new ComponentError(undefined);
    this.#isConsumed = true;
    return new IncomingBody(this.machine, this.#response, this.#open);
  }

  override close(): void {
    super.close();
    if (!this.#isConsumed) this.#open.close();
  }
}

/** The resource `incoming-body`. */
export class IncomingBody extends Held {
  readonly #response: OpenResponse;
  readonly #open: OpenRequest;
  #hasStream = false;

  constructor(machine: Machine, response: OpenResponse, open: OpenRequest) {
    super(machine);
    this.#response = response;
    this.#open = open;
  }

  static finish(body: IncomingBody): FutureTrailers {
    body.close();
    return new FutureTrailers(body.machine);
  }

  stream(): InputStream {
    if (this.#hasStream || !this.#open.isGiven) throw new ComponentError(undefined);
    this.#hasStream = true;
    return new InputStream(this.machine, bodySource(this.#response));
  }

  override close(): void {
    super.close();
    this.#open.close();
  }
}

/** The resource `future-trailers`. There are none: they are not waited for. */
export class FutureTrailers extends Held {
  #isTaken = false;

  subscribe(): Pollable {
    return new Pollable(this.machine, always);
  }

  get(): Result<Result<Fields | undefined>> {
    if (this.#isTaken) return { tag: "err" };
    this.#isTaken = true;
    return { tag: "ok", val: { tag: "ok", val: undefined } };
  }
}
