/** Mounted interfaces: each in a scope of its own, so that its errors are its own too. */

import type { Logins } from "../access/logins.ts";
import { createToken } from "../access/tokens.ts";
import type { Mount, MountedAccess } from "../mount.ts";
import type { App } from "./app.ts";
import { problemOf } from "./problem.ts";

export interface MountsOptions {
  readonly mounts: readonly Mount[];
  readonly logins: Logins;
  /** Where tokens are kept. */
  readonly tokensFile: string;
  readonly nowMs: () => number;
  readonly tellOurs: (error: unknown) => void;
}

export function addMounts(app: App, options: MountsOptions): void {
  const { mounts, tellOurs } = options;
  for (const mount of mounts) {
    void app.register(async (scope: App) => {
      scope.setErrorHandler((error, _request, reply) => {
        const { status, body, isOurs } = problemOf(error);
        if (isOurs) tellOurs(error);
        const answer = mount.problem(status, { code: body.error, message: body.message });
        return reply.code(answer.status).send(answer.body);
      });
      // Its clients send a type with no body at all.
      scope.removeContentTypeParser("application/json");
      scope.addContentTypeParser("application/json", { parseAs: "string" }, (_request, text, done) => {
        try {
          done(null, text === "" ? undefined : JSON.parse(String(text)));
        } catch (error) {
          done(Object.assign(error as Error, { statusCode: 400 }));
        }
      });
      for (const { method, path, role, audit, summary, handle } of mount.routes) {
        scope.route({
          method,
          url: path,
          config: { role, ...(audit !== undefined && { audit }) },
          schema: { tags: [mount.name], summary, ...(role === "everybody" && { security: [] }) },
          handler: async ({ params, query, body, caller, ip }, reply) => {
            const answer = await handle({
              // Texts: the router and the query parser make nothing else of these paths.
              params: params as Record<string, string>,
              query: query as Record<string, string | undefined>,
              body,
              caller,
              access: accessFor(ip, options),
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

function accessFor(address: string, { logins, tokensFile, nowMs }: MountsOptions): MountedAccess {
  return {
    logIn: (credentials) => logins.logIn({ ...credentials, address }),
    createToken: ({ name, role, expiresAtMs }) =>
      createToken(tokensFile, {
        name,
        role,
        nowMs: nowMs(),
        ...(expiresAtMs !== undefined && { validMs: expiresAtMs - nowMs() }),
      }),
  };
}
