/**
 * Before every route: is the request meant for us, who asks, how often, may they, and is it written down. In this
 * order, so that nobody without a token learns more than that they need one.
 */

import type { FastifyReply, FastifyRequest } from "fastify";
import type { AuditTrail } from "remora/manager";
import { harmless } from "remora/policy";
import type { OriginGuard } from "../access/origin-guard.ts";
import { RequestBudget } from "../access/request-budget.ts";
import { mayAct } from "../access/roles.ts";
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

export function addAccess(app: App, options: AccessOptions): void {
  const { guard, callerOf, trail, monotonicMs } = options;
  const requests = new RequestBudget(options.requestsPerMinuteMax, monotonicMs);
  const refusals = new RequestBudget(options.refusalsPerMinuteMax, monotonicMs);
  app.decorateRequest("caller", undefined);
  app.addHook("onRequest", async (request, reply) => {
    guard(request.headers);
    const { role } = request.routeOptions.config;
    if (request.is404) throw adminErrors["no-route"]({ route: `${request.method} ${request.url}` });
    if (role === "everybody") return spend(requests, request.ip);
    // An address that guesses is not even compared any more.
    if (refusals.isSpent(request.ip)) throw tooMany(refusals, request.ip);
    request.caller = identify(request, callerOf);
    if (request.caller === undefined) {
      refusals.spend(request.ip);
      const found = request.headers.authorization === undefined ? "there is no token" : "the token is none";
      throw adminErrors.unauthorized({ found });
    }
    void reply.header("x-ratelimit-limit", options.requestsPerMinuteMax);
    spend(requests, request.caller.name);
    void reply.header("x-ratelimit-remaining", requests.left(request.caller.name));
    if (role === undefined || !mayAct(request.caller.role, role)) {
      throw adminErrors.forbidden({ role: request.caller.role, needed: role ?? "of nobody" });
    }
  });
  app.addHook("preHandler", async (request) => {
    const { audit } = request.routeOptions.config;
    // Before it is done: what cannot be written down does not happen.
    if (audit !== undefined) trail.append({ kind: "admin.asked", ...facts(request, audit) });
  });
  app.addHook("onResponse", async (request, reply: FastifyReply) => {
    const { audit } = request.routeOptions.config;
    if (audit === undefined || request.caller === undefined) return;
    trail.append({ kind: "admin.answered", ...facts(request, audit), status: reply.statusCode });
  });
}

function identify(request: FastifyRequest, callerOf: AccessOptions["callerOf"]): Caller | undefined {
  const [, token] = /^Bearer ([A-Za-z0-9._~+/-]{1,2000}=*)$/i.exec(request.headers.authorization ?? "") ?? [];
  const key = request.headers["x-api-key"];
  const shown = token ?? (typeof key === "string" ? key : undefined);
  return shown === undefined ? undefined : callerOf(shown);
}

function spend(budget: RequestBudget, who: string): void {
  if (!budget.spend(who)) throw tooMany(budget, who);
}

function tooMany(budget: RequestBudget, who: string): Error {
  return adminErrors["too-many-requests"]({ retryAfterSeconds: budget.secondsUntil(who) });
}

function facts(request: FastifyRequest, what: string) {
  // What its schema let through; a mounted interface has its own word.
  const { id, name = id } = request.params as { readonly name?: string; readonly id?: string };
  const { caller } = request;
  return {
    what,
    by: caller === undefined ? "nobody" : harmless(caller.name),
    role: caller?.role ?? "none",
    ...(name !== undefined && { plugin: harmless(name) }),
  };
}
