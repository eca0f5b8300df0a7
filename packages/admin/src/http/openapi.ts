/** The OpenAPI 3.1 document, from the same schemas that requests are checked by, and a page that shows it. */

import swagger, { type SwaggerTransformObject } from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { Mount, MountedSocket } from "../mount.ts";
import type { App } from "./app.ts";

const title = "Remora admin interface";

const description = `Plugins of one Remora manager: what is installed, what it may do, what it does.

Send a token as \`Authorization: Bearer TOKEN\`. Roles: *reader* looks, *operator* starts, stops, reloads, rolls back and
sets up, *admin* decides what runs and may do what. A failure has \`error\`, a code of the form layer/name.`;

interface OpenApiOptions {
  readonly version: string;
  readonly mounts: readonly Mount[];
}

/** Before the routes: what comes later is in the document. */
export async function addOpenApi(app: App, { version, mounts }: OpenApiOptions): Promise<void> {
  await app.register(swagger, {
    transformObject: withOptionalBodies,
    openapi: {
      openapi: "3.1.0",
      info: { title, description, version },
      components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
      security: [{ token: [] }],
      tags: [
        { name: "plugins", description: "Install, update, roll back, enable, disable, reload, remove" },
        { name: "settings", description: "Of a plugin, changed while it runs" },
        { name: "grants", description: "What plugins may do, and what waits for consent" },
        { name: "audit", description: "What plugins did and what became of them, and whether that is all" },
        { name: "watch", description: "Events, metrics, health" },
        ...mounts.map(({ name, sockets = [] }) => ({ name, description: socketsText(sockets) })),
      ],
    },
  });
  // Its routes have no role of their own; the page and its files say nothing that is not in the documents.
  app.addHook("onRoute", (route) => {
    if (route.url.startsWith(PAGE)) route.config = { ...route.config, role: "everybody" };
  });
  await app.register(swaggerUi, {
    routePrefix: PAGE,
    staticCSP: true,
    uiConfig: { docExpansion: "list" },
    theme: { title, css: [{ filename: "remora.css", content: pageStyle }] },
  });
  app.get("/", { config: { role: "everybody" }, schema: { hide: true } }, (_request, reply) =>
    reply.redirect(PAGE),
  );
  app.get("/openapi.json", { config: { role: "everybody" }, schema: { hide: true } }, async () =>
    app.swagger(),
  );
}

/** OpenAPI has no place of its own for them. */
function socketsText(sockets: readonly MountedSocket[]): string {
  const texts = sockets.map(({ path, role, summary }) => `\`${path}\` (${role}): ${summary}`);
  return texts.length === 0 ? "" : `WebSockets: ${texts.join("; ")}.`;
}

/** A body of which no field has to be there may be left out itself; the generator takes all for required. */
function withOptionalBodies(document: Parameters<SwaggerTransformObject>[0]) {
  if (!("openapiObject" in document)) throw new TypeError("There is no OpenAPI document");
  const { openapiObject } = document;
  for (const path of Object.values(openapiObject.paths ?? {})) {
    for (const { requestBody } of Object.values(path as Record<string, Operation>)) {
      const schema = requestBody?.content["application/json"]?.schema;
      if (requestBody !== undefined && schema !== undefined) {
        requestBody.required = schema.required !== undefined && schema.required.length > 0;
      }
    }
  }
  return openapiObject;
}

/** As the generator makes them. */
interface Operation {
  readonly requestBody?: {
    required: boolean;
    readonly content: Readonly<
      Record<string, { readonly schema: { readonly required?: readonly string[] } }>
    >;
  };
}

const PAGE = "/docs";

/** The bar at the top would load any other document, and has another project's name on it. */
const pageStyle = ".swagger-ui .topbar { display: none }";
