/** Opens the admin interface of a manager: on loopback unless told otherwise, for holders of tokens alone. */

import { PrometheusText } from "@remora/telemetry";
import fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import type { Manager } from "remora/manager";
import { jwtCaller, jwtSecretBytesMin } from "./access/jwt.ts";
import { Logins } from "./access/logins.ts";
import { originGuard } from "./access/origin-guard.ts";
import { hashToken, newToken, TokenList, tokensFile } from "./access/tokens.ts";
import { usersFile } from "./access/users.ts";
import { removeEndpoint, writeEndpoint } from "./endpoint-file.ts";
import { adminErrors } from "./errors.ts";
import { Access, addAccess } from "./http/access.ts";
import type { App } from "./http/app.ts";
import { addCors } from "./http/cors.ts";
import { boundConnections } from "./http/crowding.ts";
import { defaultEventStream } from "./http/event-stream.ts";
import { addMountedSockets, isWebSocketWanted } from "./http/mounted-sockets.ts";
import { addMounts, mountAt } from "./http/mounts.ts";
import { addOpenApi } from "./http/openapi.ts";
import { problemOf } from "./http/problem.ts";
import { answerUnreadable } from "./http/raw-answer.ts";
import { auditRoutes } from "./http/routes/audit.ts";
import { grantRoutes } from "./http/routes/grants.ts";
import { pluginRoutes } from "./http/routes/plugins.ts";
import { settingsRoutes } from "./http/routes/settings.ts";
import { watchRoutes } from "./http/routes/watch.ts";
import { schemaProblem } from "./http/schema-problem.ts";
import { localOperations } from "./local-operations.ts";
import type { Mount } from "./mount.ts";

export interface AdminLimits {
  /** Of one token. */
  readonly requestsPerMinuteMax: number;
  /** Without a good token, of one address; and failures to log in, of one address and of one name. */
  readonly refusalsPerMinuteMax: number;
  /** At a time. Beyond them operators and admins are answered, and others told to come again. */
  readonly connectionsMax: number;
  /** Streams of events of readers at a time, as many of others, and the same of sockets of mounted interfaces. */
  readonly streamsMax: number;
  /** Of a request other than a bundle. */
  readonly bodyBytesMax: number;
  /** Until a request has arrived whole, milliseconds. */
  readonly requestMsMax: number;
  /** Until a connection beyond `connectionsMax` has begun to ask, milliseconds. */
  readonly askMsMax: number;
  /** How long a reader of events may leave them unread, milliseconds. */
  readonly unreadMsMax: number;
  /** How long streams and sockets go on at most when their token was taken back or expired, milliseconds. */
  readonly revokedMsMax: number;
}

export const defaultAdminLimits: AdminLimits = {
  requestsPerMinuteMax: 1_200,
  refusalsPerMinuteMax: 30,
  connectionsMax: 256,
  streamsMax: 32,
  bodyBytesMax: 1024 * 1024,
  requestMsMax: 60_000,
  askMsMax: 5_000,
  unreadMsMax: 30_000,
  revokedMsMax: 2_000,
};

export interface AdminOptions {
  /** It must keep a trail: whoever decides over plugins is written down. */
  readonly manager: Manager;
  /** Default: `127.0.0.1`. Whoever opens it to a network puts TLS in front of it. */
  readonly address?: string;
  /** Default: 0, a free one. */
  readonly port?: number;
  /** Names under which it is known beside loopback's. */
  readonly hosts?: readonly string[];
  /** Pages elsewhere that may call it from a browser: `https://console.example.org`. Default: none but its own. */
  readonly origins?: readonly string[];
  /** Interfaces of other systems over the same manager. */
  readonly mounts?: readonly Mount[];
  /** Of another system of the operator's whose JSON Web Tokens are accepted too, at least 32 bytes. Default: none are. */
  readonly jwtSecret?: Uint8Array;
  readonly limits?: Partial<AdminLimits>;
  /** Gets our own mistakes, one line each. */
  readonly log: (line: string) => void;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

export interface Admin {
  /** `http://127.0.0.1:7411` */
  readonly address: string;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens the interface, and writes into the manager's folder where it is.
 *
 * @throws admin/listen-failed  the address cannot be listened to
 * @throws admin/access-file-damaged the tokens or users in the manager's folder cannot be read
 */
export async function openAdmin(options: AdminOptions): Promise<Admin> {
  const { manager, nowMs, log, mounts = [] } = options;
  const { trail } = manager;
  if (trail === undefined)
    throw new TypeError("Cannot open the admin interface of a manager without a trail");
  const limits = { ...defaultAdminLimits, ...options.limits };
  const token = newToken();
  const createdAt = new Date(nowMs()).toISOString();
  const own = { name: "local", role: "admin", sha256: hashToken(token), createdAt, expiresAt: null } as const;
  const { jwtSecret } = options;
  if (jwtSecret !== undefined && jwtSecret.length < jwtSecretBytesMin) {
    throw new RangeError(`Cannot accept tokens of a secret with fewer than ${jwtSecretBytesMin} bytes`);
  }
  const tokens = new TokenList(tokensFile(manager.folder), own, nowMs);
  const monotonicMs = () => performance.now();
  const { requestsPerMinuteMax, refusalsPerMinuteMax } = limits;
  const logins = new Logins({
    file: usersFile(manager.folder),
    failuresPerMinuteMax: refusalsPerMinuteMax,
    nowMs,
    monotonicMs,
    trail,
  });
  const callerOf = (token: string) =>
    tokens.callerOf(token) ?? logins.callerOf(token) ?? (jwtSecret && jwtCaller(token, jwtSecret, nowMs()));
  tokens.callerOf(""); // a damaged file is told now
  const closing = new AbortController();
  const tellOurs = (error: unknown) => log(`admin: ${error instanceof Error ? error.stack : String(error)}`);
  const answerProblem = (error: unknown, request: AskedFor, reply: Answering) => {
    const { status, body, isOurs, retryAfter } = problemOf(error, request.routeOptions.bodyLimit);
    if (isOurs) tellOurs(error);
    if (retryAfter !== undefined) void reply.header("retry-after", retryAfter);
    const problem = { code: body.error, message: body.message };
    const answer = mountAt(mounts, request.routeOptions.url ?? request.url)?.problem(status, problem);
    return reply.code(answer?.status ?? status).send(answer === undefined ? body : answer.body);
  };
  const app = bareApp(limits, answerProblem);
  app.setErrorHandler(answerProblem);
  const { hosts = [], origins = [] } = options;
  const guard = originGuard({ hosts, origins });
  addCors(app, { origins, guard });
  const access = new Access({
    guard,
    callerOf,
    requestsPerMinuteMax,
    refusalsPerMinuteMax,
    monotonicMs,
  });
  addAccess(app, access, { trail, nowMs });
  const looking = setInterval(() => access.lookAgain(), limits.revokedMsMax);
  closing.signal.addEventListener("abort", () => clearInterval(looking));
  boundConnections(app, limits);
  await addOpenApi(app, { version: "1", mounts });
  const operations = localOperations({ manager, trail });
  pluginRoutes(app, operations);
  settingsRoutes(app, operations);
  grantRoutes(app, operations);
  auditRoutes(app, operations);
  watchRoutes(app, operations, {
    access,
    prometheus: new PrometheusText(manager),
    stream: { ...defaultEventStream, unreadMsMax: limits.unreadMsMax },
    streamsMax: limits.streamsMax,
    signal: closing.signal,
  });
  addMounts(app, { mounts, logins, tokensFile: tokensFile(manager.folder), trail, nowMs });
  addMountedSockets(app, {
    mounts,
    access,
    socketsMax: limits.streamsMax,
    beatMs: limits.unreadMsMax,
    signal: closing.signal,
    tellOurs,
  });
  const end = async () => {
    closing.abort();
    await app.close();
  };
  let address: string;
  try {
    address = await listen(app, options);
    writeEndpoint(manager.folder, { address, token });
  } catch (error) {
    // What waits for requests, or follows the manager's events, would hold the process.
    await end();
    throw error;
  }
  const close = async () => {
    removeEndpoint(manager.folder);
    await end();
  };
  return { address, close, [Symbol.asyncDispose]: close };
}

/** What an answer to a request that failed is made by, in a scope or before there is a route. */
type AskedFor = Pick<FastifyRequest, "url" | "routeOptions">;
type Answering = Pick<FastifyReply, "code" | "header">;

function bareApp(
  limits: AdminLimits,
  answerProblem: (error: unknown, request: AskedFor, reply: Answering) => unknown,
): App {
  const app = fastify({
    bodyLimit: limits.bodyBytesMax,
    forceCloseConnections: true,
    // A request that arrives byte by byte holds a connection for so long and no longer.
    requestTimeout: limits.requestMsMax,
    http: {
      headersTimeout: limits.requestMsMax,
      connectionsCheckingInterval: Math.min(5_000, limits.requestMsMax),
      // RFC 9110 §7.8: whoever offers another protocol, such as h2c, is answered in this one.
      shouldUpgradeCallback: isWebSocketWanted,
    },
    // What is checked is what arrived: nothing is turned into another type, or left out, to make it fit.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: false, verbose: true } },
    schemaErrorFormatter: schemaProblem,
    routerOptions: { maxParamLength: 200 },
    clientErrorHandler: answerUnreadable,
    // Of an address that cannot be read, which has no route.
    frameworkErrors: (error, request, reply) => void answerProblem(error, request, reply),
  }) as unknown as App; // the same application, with types from its schemas
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.addHook("preValidation", async (request) => {
    // No body is one without fields.
    if (request.body === undefined && request.routeOptions.schema?.body !== undefined) request.body = {};
  });
  app.addHook("onSend", async (_request, reply) => {
    void reply.header("cache-control", "no-store").header("x-content-type-options", "nosniff");
  });
  return app;
}

async function listen(app: App, { address = "127.0.0.1", port = 0 }: AdminOptions): Promise<string> {
  try {
    // All addresses are listened to at "::", and none is asked there.
    return (await app.listen({ host: address, port })).replace("//[::]:", "//[::1]:");
  } catch (cause) {
    const code = String((cause as { code?: unknown }).code ?? cause);
    const reason = listenReasons[code] ?? code;
    throw adminErrors["listen-failed"]({ address: `${address}:${port}`, reason }, cause);
  }
}

const listenReasons: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there; name another port, or 0 for a free one",
  EADDRNOTAVAIL: "this machine has no such address",
  EACCES: "this account may not listen there; ports from 1024 on need no right",
  ENOTFOUND: "there is no machine of that name",
};
