/** The OpenAPI 3.1 document, from the same schemas that requests are checked by, and a page that shows it. */

import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { App } from "./app.ts";

const title = "Remora admin interface";

const description = `Plugins of one Remora manager: what is installed, what it may do, what it does.

Send a token as \`Authorization: Bearer TOKEN\`. Roles: *reader* looks, *operator* starts, stops, reloads, rolls back and
sets up, *admin* decides what runs and may do what. A failure has \`error\`, a code of the form layer/name.`;

/** Before the routes: what comes later is in the document. */
export async function addOpenApi(app: App, version: string): Promise<void> {
  await app.register(swagger, {
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

const PAGE = "/docs";

/** The bar at the top would load any other document, and has another project's name on it. */
const pageStyle = ".swagger-ui .topbar { display: none }";
