/**
 * Before every route, and before every socket: is the request meant for us, who asks, how often, and may they. In this
 * order, so that nobody without a token learns more than that they need one. What changes something is written down.
 */

import type { IncomingHttpHeaders } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { AuditTrail } from "remora/manager";
import { harmless } from "remora/policy";
import type { OriginGuard } from "../access/origin-guard.ts";
import { RequestBudget } from "../access/request-budget.ts";
import { mayAct, type Role } from "../access/roles.ts";
import type { Caller } from "../access/tokens.ts";
import { adminErrors } from "../errors.ts";
import type { App } from "./app.ts";

export interface AccessOptions {
  readonly guard: OriginGuard;
  /** Whose token it is; undefined when it is nobody's. */
  readonly callerOf: (token: string) => Caller | undefined;
  readonly trail: Pick<AuditTrail, "append">;
  readonly requestsPerMinuteMax: number;
  /** Requests without a good token, of one address. */
  readonly refusalsPerMinuteMax: number;
  readonly monotonicMs: () => number;
}

/** What is asked, however it came. */
export interface Asked {
  readonly headers: IncomingHttpHeaders;
  readonly address: string;
  /** Of this machine, the address that it came to. */
  readonly reachedAt?: string | undefined;
  /** `GET /v1/plugins` */
  readonly route: string;
  /** Undefined where nobody may. */
  readonly role: Role | "everybody" | undefined;
  readonly isThere: boolean;
}

/** What goes on after its request was answered: a stream, a socket. */
interface Lasting extends Pick<Asked, "headers" | "role"> {
  readonly end: () => void;
}

export class Access {
  readonly #guard: OriginGuard;
  readonly #callerOf: AccessOptions["callerOf"];
  readonly #requestsMax: number;
  readonly #requests: RequestBudget;
  readonly #refusals: RequestBudget;
  readonly #lasting = new Set<Lasting>();

  constructor({ guard, callerOf, monotonicMs, ...limits }: Omit<AccessOptions, "trail">) {
    this.#guard = guard;
    this.#callerOf = callerOf;
    this.#requestsMax = limits.requestsPerMinuteMax;
    this.#requests = new RequestBudget(limits.requestsPerMinuteMax, monotonicMs);
    this.#refusals = new RequestBudget(limits.refusalsPerMinuteMax, monotonicMs);
  }

  /**
   * Lets somebody in, or nobody in particular where everybody may ask.
   *
   * @param counted Told whose budget it was counted in, as soon as that is known.
   * @throws admin/foreign-host admin/no-route admin/unauthorized admin/forbidden admin/too-many-requests
   */
  admit(asked: Asked, counted: (who: string) => void = () => {}): Caller | undefined {
    const { headers, address, reachedAt, route, role, isThere } = asked;
    this.#guard(headers, reachedAt);
    if (!isThere) throw adminErrors["no-route"]({ route });
    if (role === "everybody") {
      spend(this.#requests, address);
      return undefined;
    }
    // An address that guesses is not even compared any more.
    if (this.#refusals.isSpent(address)) throw tooMany(this.#refusals, address);
    const token = shownToken(headers);
    const caller = token === undefined ? undefined : this.#callerOf(token);
    if (caller === undefined) {
      this.#refusals.spend(address);
      throw adminErrors.unauthorized({
        found: token === undefined ? "there is no token" : "the token is none",
      });
    }
    counted(caller.name);
    spend(this.#requests, caller.name);
    if (role === undefined || !mayAct(caller.role, role)) {
      throw adminErrors.forbidden({ role: caller.role, needed: role ?? "of nobody" });
    }
    return caller;
  }

  /**
   * Keeps what goes on to those who were let in: `end` is called when they would not be any more.
   *
   * @returns Forgets it; to be called when it ended by itself.
   */
  last(lasting: Lasting): () => void {
    this.#lasting.add(lasting);
    return () => void this.#lasting.delete(lasting);
  }

  /** Ends what goes on for a token that was taken back, or expired, or has another role now. */
  lookAgain(): void {
    for (const lasting of this.#lasting) {
      if (this.#isStillIn(lasting)) continue;
      this.#lasting.delete(lasting);
      lasting.end();
    }
  }

  #isStillIn({ headers, role }: Lasting): boolean {
    const token = shownToken(headers);
    try {
      const caller = token === undefined ? undefined : this.#callerOf(token);
      return (
        caller !== undefined && role !== undefined && (role === "everybody" || mayAct(caller.role, role))
      );
    } catch {
      return false; // tokens that cannot be read let nobody in either, and who asks is told why
    }
  }

  /** Takes one of what somebody may ask for, for a message over a socket. @returns False when there is none. */
  spend({ name }: Caller): boolean {
    return this.#requests.spend(name);
  }

  /** What somebody may still ask for, in the headers that clients know; `reset` in seconds since 1970. */
  rateHeaders(who: string, nowMs: number): Readonly<Record<string, number>> {
    return {
      "x-ratelimit-limit": this.#requestsMax,
      "x-ratelimit-remaining": this.#requests.left(who),
      "x-ratelimit-reset": Math.ceil(nowMs / 1_000) + this.#requests.secondsUntilFull(who),
    };
  }
}

export function addAccess(
  app: App,
  access: Access,
  { trail, nowMs }: { readonly trail: AccessOptions["trail"]; readonly nowMs: () => number },
): void {
  app.decorateRequest("caller", undefined);
  app.addHook("onRequest", async (request, reply) => {
    const asked = {
      headers: request.headers,
      address: request.ip,
      reachedAt: request.socket.localAddress,
      route: `${request.method} ${request.url}`,
      role: request.routeOptions.config.role,
      isThere: !request.is404,
    };
    let who: string | undefined;
    try {
      request.caller = access.admit(asked, (name) => {
        who = name;
      });
    } finally {
      if (who !== undefined) void reply.headers(access.rateHeaders(who, nowMs()));
    }
  });
  // What a name stands for may be another plugin, or none, when it was done.
  const asked = new WeakMap<FastifyRequest, ReturnType<typeof facts>>();
  app.addHook("preHandler", async (request) => {
    const { audit } = request.routeOptions.config;
    if (audit === undefined) return;
    const told = facts(request, audit);
    asked.set(request, told);
    // Before it is done: what cannot be written down does not happen.
    trail.append({ kind: "admin.asked", ...told });
  });
  app.addHook("onResponse", async (request, reply: FastifyReply) => {
    const { audit } = request.routeOptions.config;
    if (audit === undefined || request.caller === undefined) return;
    const told = asked.get(request) ?? facts(request, audit);
    trail.append({ kind: "admin.answered", ...told, status: reply.statusCode });
  });
}

const tokenText = /^[A-Za-z0-9._~+/-]{1,2000}=*$/;

function shownToken({ authorization, "x-api-key": key, ...headers }: IncomingHttpHeaders) {
  const [, bearer] = /^Bearer (\S+)$/i.exec(authorization ?? "") ?? [];
  const shown = bearer ?? (typeof key === "string" ? key : protocolToken(headers["sec-websocket-protocol"]));
  return shown !== undefined && tokenText.test(shown) ? shown : undefined;
}

/** A page can give a socket no headers, but the names of protocols: `new WebSocket(url, ["bearer", token])`. */
function protocolToken(protocols: string | undefined): string | undefined {
  const [first, token] = protocols?.split(",").map((text) => text.trim()) ?? [];
  return first === "bearer" ? token : undefined;
}

function spend(budget: RequestBudget, who: string): void {
  if (!budget.spend(who)) throw tooMany(budget, who);
}

function tooMany(budget: RequestBudget, who: string): Error {
  return adminErrors["too-many-requests"]({ retryAfterSeconds: budget.secondsUntil(who) });
}

function facts(request: FastifyRequest, what: string) {
  const { plugin = ({ name }) => name } = request.routeOptions.config;
  const [path = ""] = request.url.split("?", 1);
  // What its schema let through, or the router.
  const name = plugin(request.params as Readonly<Record<string, string>>);
  return {
    what,
    ...askerFacts(request),
    path: harmless(path, pathCharsMax),
    ...(name !== undefined && { plugin: harmless(name) }),
  };
}

const pathCharsMax = 500;

/** Who asks, as the trail has it. */
export function askerFacts({ caller, ip }: Pick<FastifyRequest, "caller" | "ip">) {
  return {
    by: caller === undefined ? "nobody" : harmless(caller.name),
    role: caller?.role ?? "none",
    from: ip,
  };
}
