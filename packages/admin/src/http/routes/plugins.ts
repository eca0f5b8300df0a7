/** `/v1/plugins`: what is installed, and each step of a plugin's life. */

import { defaultBundleLimits } from "remora/bundle";
import { harmless } from "remora/policy";
import { Type } from "typebox";
import type { Operations } from "../../operations.ts";
import {
  ChangeView,
  InstallBody,
  PluginDetailsView,
  PluginParams,
  PluginView,
  UploadQuery,
  uploadOriginCharsMax,
} from "../../views.ts";
import { answers, changeAnswers, changed, done } from "../answers.ts";
import type { App } from "../app.ts";

const tags = ["plugins"];

export function pluginRoutes(app: App, operations: Operations): void {
  lookRoutes(app, operations);
  installRoutes(app, operations);
  versionRoutes(app, operations);
  switchRoutes(app, operations);
}

function lookRoutes(app: App, operations: Operations): void {
  app.get(
    "/v1/plugins",
    {
      config: { role: "reader" },
      schema: {
        tags,
        summary: "All plugins",
        response: answers(Type.Object({ plugins: Type.Array(PluginView) })),
      },
    },
    async () => ({ plugins: await operations.list() }),
  );
  app.get(
    "/v1/plugins/:name",
    {
      config: { role: "reader" },
      schema: {
        tags,
        summary: "All about a plugin",
        params: PluginParams,
        response: answers(PluginDetailsView),
      },
    },
    (request) => operations.details(request.params.name),
  );
}

function installRoutes(app: App, operations: Operations): void {
  app.post(
    "/v1/plugins",
    {
      config: { role: "admin", audit: "install" },
      schema: {
        tags,
        summary: "Install a plugin by name or path",
        description: "202 when it waits for consent.",
        body: InstallBody,
        response: changeAnswers,
      },
    },
    async (request, reply) => {
      const { ref, ...options } = request.body;
      return changed(reply, await operations.install({ ref }, options));
    },
  );
  // A scope of its own: nowhere else are raw bytes, or so many of them, taken.
  void app.register(async (scope: App) => {
    scope.addContentTypeParser("application/octet-stream", { parseAs: "buffer" }, (_request, body, done) =>
      done(null, body),
    );
    scope.post(
      "/v1/bundles",
      {
        bodyLimit: defaultBundleLimits.bytesMax,
        config: { role: "admin", audit: "install" },
        schema: {
          tags,
          summary: "Install a plugin from its bundle",
          description: "202 when it waits for consent.",
          querystring: UploadQuery,
          consumes: ["application/octet-stream"],
          // OpenAPI 3.1: bytes have no type of JSON. With it, the page has a field for the file.
          body: Type.Unknown({ description: "The bundle" }),
          response: changeAnswers,
        },
      },
      async (request, reply) => {
        const { origin, isEnabled } = request.query;
        // The parser above gives a buffer; a body of another type is no bundle, and is refused as such.
        const bytes = request.body instanceof Uint8Array ? new Uint8Array(request.body) : new Uint8Array(0);
        const source = { bytes, origin: uploadOrigin(origin, request.caller?.name ?? "nobody") };
        const options = { ...(isEnabled !== undefined && { isEnabled: isEnabled === "true" }) };
        return changed(reply, await operations.install(source, options));
      },
    );
  });
  app.delete(
    "/v1/plugins/:name",
    {
      config: { role: "admin", audit: "remove" },
      schema: {
        tags,
        summary: "Remove a plugin",
        params: PluginParams,
        querystring: Type.Object(
          {
            data: Type.Optional(Type.Union([Type.Literal("true"), Type.Literal("false")])),
          },
          { additionalProperties: false },
        ),
        response: done,
      },
    },
    async (request, reply) => {
      await operations.remove(request.params.name, { data: request.query.data === "true" });
      return reply.code(204).send(null);
    },
  );
}

/** What the caller says is for people alone, and who said it stands behind it, where no path can write another one. */
function uploadOrigin(said: string | undefined, caller: string): string {
  const by = `upload by ${caller}`;
  return said === undefined ? by : `${harmless(said, uploadOriginCharsMax)} (${by})`;
}

function versionRoutes(app: App, operations: Operations): void {
  app.post(
    "/v1/plugins/:name/update",
    {
      config: { role: "admin", audit: "update" },
      schema: {
        tags,
        summary: "Install the newest version that the sources have",
        description: "202 when it waits for consent.",
        params: PluginParams,
        body: Type.Object(
          { range: Type.Optional(Type.String({ maxLength: 100 })) },
          { additionalProperties: false },
        ),
        response: changeAnswers,
      },
    },
    async (request, reply) =>
      changed(reply, await operations.update(request.params.name, request.body.range)),
  );
  app.post(
    "/v1/plugins/:name/rollback",
    {
      config: { role: "operator", audit: "rollback" },
      schema: {
        tags,
        summary: "Run a kept version again",
        params: PluginParams,
        body: Type.Object(
          { version: Type.Optional(Type.String({ maxLength: 100 })) },
          { additionalProperties: false },
        ),
        response: answers(ChangeView),
      },
    },
    (request) => operations.rollback(request.params.name, request.body.version),
  );
}

const NoFields = Type.Object({}, { additionalProperties: false });

function switchRoutes(app: App, operations: Operations): void {
  for (const [verb, summary] of [
    ["enable", "Run a plugin that was disabled"],
    ["disable", "Stop a plugin, until it is enabled"],
    ["reload", "Make the running version anew, with the settings and grants of now"],
  ] as const) {
    app.post(
      `/v1/plugins/:name/${verb}`,
      {
        config: { role: "operator", audit: verb },
        schema: { tags, summary, params: PluginParams, body: NoFields, response: done },
      },
      async (request, reply) => {
        await operations[verb](request.params.name);
        return reply.code(204).send(null);
      },
    );
  }
}
