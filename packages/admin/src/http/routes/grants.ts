/** `/v1/plugins/:name/grants` and `/v1/consents`: what plugins may do, and what they wait to be given. */

import { Type } from "typebox";
import type { Operations } from "../../operations.ts";
import { ConsentView, GrantView, PluginParams, RequestId } from "../../views.ts";
import { answers, changeAnswers, changed, done } from "../answers.ts";
import type { App } from "../app.ts";

const tags = ["grants"];

export function grantRoutes(app: App, operations: Operations): void {
  app.get(
    "/v1/plugins/:name/grants",
    {
      config: { role: "reader" },
      schema: {
        tags,
        summary: "What a plugin was given, and what it was refused",
        params: PluginParams,
        response: answers(Type.Object({ grants: Type.Array(GrantView), refused: Type.Array(GrantView) })),
      },
    },
    async (request) => {
      const { grants, refused } = await operations.details(request.params.name);
      return { grants, refused };
    },
  );
  for (const [path, verb, summary] of [
    ["grants", "give", "Give a plugin more, and make it anew with it"],
    ["grants/revoke", "revoke", "Take from a plugin what it was given, at once, and make it anew without it"],
  ] as const) {
    app.post(
      `/v1/plugins/:name/${path}`,
      {
        config: { role: "admin", audit: verb },
        schema: { tags, summary, params: PluginParams, body: GrantView, response: done },
      },
      async (request, reply) => {
        await operations[verb](request.params.name, request.body);
        return reply.code(204).send(null);
      },
    );
  }
  consentRoutes(app, operations);
}

const Item = Type.Object(
  {
    capability: Type.String({ maxLength: 100 }),
    target: Type.Union([Type.String({ maxLength: 4096 }), Type.Null()]),
  },
  { additionalProperties: false },
);

const answeredOnly = "409 when what waits now is not the request that was shown.";

function consentRoutes(app: App, operations: Operations): void {
  app.get(
    "/v1/consents",
    {
      config: { role: "reader" },
      schema: {
        tags,
        summary: "Versions that wait for consent, and what each wants",
        response: answers(Type.Object({ consents: Type.Array(ConsentView) })),
      },
    },
    async () => ({ consents: await operations.held() }),
  );
  app.post(
    "/v1/consents/:name/accept",
    {
      config: { role: "admin", audit: "accept" },
      schema: {
        tags,
        summary:
          "Give a held version what it wants, or some of it, and run it, also one by another publisher",
        description: answeredOnly,
        params: PluginParams,
        body: Type.Object(
          { id: RequestId, items: Type.Optional(Type.Array(Item, { maxItems: 1000 })) },
          { additionalProperties: false },
        ),
        response: changeAnswers,
      },
    },
    async (request, reply) => {
      const { id, items } = request.body;
      return changed(reply, await operations.accept({ plugin: request.params.name, id }, items));
    },
  );
  app.post(
    "/v1/consents/:name/refuse",
    {
      config: { role: "admin", audit: "refuse" },
      schema: {
        tags,
        summary: "Forget a held version",
        description: answeredOnly,
        params: PluginParams,
        body: Type.Object({ id: RequestId }, { additionalProperties: false }),
        response: done,
      },
    },
    async (request, reply) => {
      await operations.refuse({ plugin: request.params.name, id: request.body.id });
      return reply.code(204).send(null);
    },
  );
}
