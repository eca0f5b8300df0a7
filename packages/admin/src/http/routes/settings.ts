/** `/v1/plugins/:name/settings`: as they are kept, with references in place of secrets. */

import { Type } from "typebox";
import type { Operations } from "../../operations.ts";
import { PluginParams } from "../../views.ts";
import { answers, done } from "../answers.ts";
import type { App } from "../app.ts";

const tags = ["settings"];

export function settingsRoutes(app: App, operations: Operations): void {
  app.get(
    "/v1/plugins/:name/settings",
    {
      config: { role: "reader" },
      schema: {
        tags,
        summary: "The settings of a plugin",
        params: PluginParams,
        response: answers(Type.Object({ settings: Type.Unknown() })),
      },
    },
    async (request) => ({ settings: await operations.settings(request.params.name) }),
  );
  app.put(
    "/v1/plugins/:name/settings",
    {
      config: { role: "operator", audit: "change settings" },
      schema: {
        tags,
        summary: "Change all settings of a plugin, while it runs",
        description: 'Checked against the schema of its manifest. A secret is written { "secret": "NAME" }.',
        params: PluginParams,
        body: Type.Object({ settings: Type.Unknown() }, { additionalProperties: false }),
        response: done,
      },
    },
    async (request, reply) => {
      await operations.changeSettings(request.params.name, request.body.settings);
      return reply.code(204).send(null);
    },
  );
}
