/** Mounted interfaces: each in a scope of its own, and below a prefix, where errors are its own too. */

import type { FastifyRequest } from "fastify";
import type { AuditTrail } from "remora/manager";
import type { Logins } from "../access/logins.ts";
import { checkOwnerName } from "../access/owner-name.ts";
import { createToken } from "../access/tokens.ts";
import { adminErrors } from "../errors.ts";
import type { Mount, MountedAccess, MountedAnswerSchema, MountedRequest, MountedRoute } from "../mount.ts";
import { askerFacts } from "./access.ts";
import type { App } from "./app.ts";

export interface MountsOptions {
  readonly mounts: readonly Mount[];
  readonly logins: Logins;
  /** Where tokens are kept. */
  readonly tokensFile: string;
  readonly trail: Pick<AuditTrail, "append">;
  readonly nowMs: () => number;
}

export function addMounts(app: App, options: MountsOptions): void {
  for (const mount of options.mounts) {
    void app.register(async (scope: App) => {
      // Its clients send a type with no body at all.
      scope.removeContentTypeParser("application/json");
      scope.addContentTypeParser("application/json", { parseAs: "string" }, (_request, text, done) => {
        try {
          done(null, text === "" ? undefined : JSON.parse(String(text)));
        } catch (error) {
          done(Object.assign(error as Error, { statusCode: 400 }));
        }
      });
      // It checks by itself what it is sent: its schemas are for the document.
      scope.setValidatorCompiler(() => () => true);
      for (const route of mount.routes) {
        const { method, path, role, audit, plugin = () => undefined, handle } = route;
        scope.route({
          method,
          url: path,
          config: { role, plugin, ...(audit !== undefined && { audit }) },
          schema: routeSchema(route, mount),
          handler: async (request, reply) => {
            const { params, query, body, caller } = request;
            const answer = await handle({
              // Texts: the router makes nothing else of these paths.
              params: params as Record<string, string>,
              query: queryOf(query),
              body,
              caller,
              access: accessFor(request, options),
            });
            const { status, type } = answer;
            if (type !== undefined) void reply.type(type).serializer(String);
            return reply.code(status).send(answer.body);
          },
        });
      }
    });
  }
}

/** As the OpenAPI document has it. */
function routeSchema({ role, summary, schema }: MountedRoute, { name, problemSchema }: Mount) {
  const general = { tags: [name], summary, ...(role === "everybody" && { security: [] }) };
  if (schema === undefined) return general;
  const { query, body, answers } = schema;
  return {
    ...general,
    ...(query !== undefined && { querystring: query }),
    ...(body !== undefined && { body }),
    response: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answered(answer)])),
      ...(problemSchema !== undefined && { "4xx": problemSchema, "5xx": problemSchema }),
    },
  };
}

function answered({ description = "Done", type = "application/json", schema }: MountedAnswerSchema): object {
  return schema === undefined
    ? { type: "null", description }
    : { description, content: { [type]: { schema } } };
}

/** Whose paths this is one of. @param url With or without a query. */
export function mountAt(mounts: readonly Mount[], url = ""): Mount | undefined {
  const [path = ""] = url.split("?", 1);
  return mounts.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));
}

/** The query parser makes a list of what is there more than once, which no mounted interface has a meaning for. */
function queryOf(query: unknown): MountedRequest["query"] {
  const entries = Object.entries(query as Record<string, string | readonly string[]>); // as was just said
  const texts = entries.map(([name, value]) => {
    if (typeof value !== "string") throw adminErrors["bad-request"]({ problem: `"${name}" is there twice` });
    return [name, value] as const;
  });
  return Object.fromEntries(texts);
}

function accessFor(
  request: FastifyRequest,
  { logins, tokensFile, trail, nowMs }: MountsOptions,
): MountedAccess {
  return {
    logIn: (credentials) => logins.logIn({ ...credentials, address: request.ip }),
    createToken({ name, role, expiresAtMs }) {
      checkOwnerName(name);
      const expiresAt = expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString();
      // Before it is made: what cannot be written down does not happen.
      trail.append({ kind: "admin.token", ...askerFacts(request), token: name, tokenRole: role, expiresAt });
      return createToken(tokensFile, {
        name,
        role,
        nowMs: nowMs(),
        ...(expiresAtMs !== undefined && { validMs: expiresAtMs - nowMs() }),
      });
    },
  };
}
