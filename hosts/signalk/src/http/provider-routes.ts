/** Version 2 of the interface: resources, weather and radars, answered by plugins. */

import { randomUUID } from "node:crypto";
import { isRemoraError } from "remora/base";
import { isRecord } from "../delta/delta.ts";
import { failureStatus } from "../failure-status.ts";
import type { ByPlugin } from "../providers/by-plugin.ts";
import type { Resources } from "../providers/resources.ts";
import type { SignalkServer } from "../server.ts";
import type { Position, WeatherRegistration } from "../server-port.ts";
import { type ApiRequest, type ApiResponse, failed, type Handler, notFound, ok } from "./exchange.ts";
import { isOnEarth } from "./position.ts";
import { type Route, route } from "./router.ts";

export function providerRoutes({ resources, weather, radars }: SignalkServer): Route[] {
  return [
    ...resourceRoutes(resources),
    ...chosenRoutes("/signalk/v2/api/weather", weather),
    ...weatherRoutes(weather),
    ...chosenRoutes("/signalk/v2/api/vessels/self/radars", radars),
  ];
}

/** What a plugin fails with is told to whoever asked, and is not the server's failure. */
export function told(handler: Handler): Handler {
  return async (request) => {
    try {
      return await handler(request);
    } catch (error) {
      if (!isRemoraError(error)) throw error;
      return failed(failureStatus(error), error.message, error.code);
    }
  };
}

function resourceRoutes(resources: Resources): Route[] {
  const base = "/signalk/v2/api/resources";
  const known = (handler: Handler): Handler =>
    told((request) =>
      resources.providersOf(request.params.type ?? "").length === 0 ? notFound : handler(request),
    );
  return [
    route("GET", base, () =>
      ok(
        Object.fromEntries(
          resources
            .types()
            .map((type) => [
              type,
              { description: `Path containing ${type} resources`, $source: resources.providersOf(type) },
            ]),
        ),
      ),
    ),
    route("GET", `${base}/:type/_providers`, ({ params }) => ok(resources.providersOf(params.type ?? ""))),
    route(
      "GET",
      `${base}/:type`,
      known(async ({ params, query }) =>
        ok(await resources.list(params.type ?? "", parsedQuery(query), query.provider)),
      ),
    ),
    route(
      "GET",
      `${base}/:type/:id`,
      known((request) => getResource(resources, request, undefined)),
    ),
    route(
      "GET",
      `${base}/:type/:id/*`,
      known((request) => getResource(resources, request, request.params["*"]?.replaceAll("/", "."))),
    ),
    route(
      "POST",
      `${base}/:type`,
      known((request) => setResource(resources, request, randomUUID(), 201)),
    ),
    route(
      "PUT",
      `${base}/:type/:id`,
      known((request) => setResource(resources, request, request.params.id ?? "", 200)),
    ),
    route(
      "DELETE",
      `${base}/:type/:id`,
      known(async ({ params, query }) => {
        await resources.remove(params.type ?? "", params.id ?? "", query.provider);
        return completed(200, params.id ?? "");
      }),
    ),
  ];
}

async function getResource(
  resources: Resources,
  { params, query }: ApiRequest,
  property: string | undefined,
) {
  const { type = "", id = "" } = params;
  const found = await resources.get(type, id, property, query.provider);
  return found === undefined ? failed(404, `Resource not found! (${id})`) : ok(found);
}

async function setResource(
  resources: Resources,
  { params, query, body }: ApiRequest,
  id: string,
  status: number,
) {
  if (!isRecord(body)) return failed(400, "Invalid resource data!");
  await resources.set(params.type ?? "", id, body, query.provider);
  return completed(status, id);
}

function completed(statusCode: number, id: string): ApiResponse {
  return { status: statusCode, json: { state: "COMPLETED", statusCode, id } };
}

/** Values that are JSON are what they say; others are text. */
function parsedQuery(query: Readonly<Record<string, string>>): Record<string, unknown> {
  const parsed: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(query)) {
    try {
      parsed[name] = JSON.parse(value);
    } catch {
      parsed[name] = value;
    }
  }
  return parsed;
}

/** Which provider answers when nobody says. */
function chosenRoutes(
  base: string,
  providers: ByPlugin<{ readonly plugin: string; readonly name: string }>,
): Route[] {
  return [
    route("GET", `${base}/_providers`, () => ok(providers.list())),
    route("GET", `${base}/_providers/_default`, () => ok({ id: providers.defaultId })),
    route("POST", `${base}/_providers/_default/:id`, ({ params }) => {
      const { id = "" } = params;
      if (!providers.choose(id)) return failed(400, `Provider ${id} not found!`);
      return {
        status: 200,
        json: { statusCode: 200, state: "COMPLETED", message: `Default provider set to ${id}.` },
      };
    }),
  ];
}

function weatherRoutes(weather: ByPlugin<WeatherRegistration>): Route[] {
  const base = "/signalk/v2/api/weather";
  const asked = (
    answer: (provider: WeatherRegistration, position: Position, options: unknown) => Promise<unknown>,
  ): Handler =>
    told(async ({ query }) => {
      const provider = weather.find(query.provider);
      if (provider === undefined) return failed(400, "No weather provider is registered!");
      const position = { latitude: Number(query.lat), longitude: Number(query.lon) };
      if (query.lat === undefined || query.lon === undefined) return failed(400, "Location not supplied!");
      if (!isOnEarth(position)) return failed(400, "Invalid position data!");
      const found = await answer(provider, position, optionsOf(query));
      return Array.isArray(found) ? ok(found) : failed(502, "The provider gave no list");
    });
  return [
    route("GET", base, () =>
      ok({
        forecasts: { description: "Forecast data for the supplied location." },
        observations: { description: "Historical weather data for the supplied location." },
        warnings: { description: "Weather warnings for the supplied location." },
      }),
    ),
    route(
      "GET",
      `${base}/observations`,
      asked((provider, position, options) => provider.observations(position, options)),
    ),
    route(
      "GET",
      `${base}/forecasts/daily`,
      asked((provider, position, options) => provider.forecasts(position, "daily", options)),
    ),
    route(
      "GET",
      `${base}/forecasts/point`,
      asked((provider, position, options) => provider.forecasts(position, "point", options)),
    ),
    route(
      "GET",
      `${base}/warnings`,
      asked((provider, position) => provider.warnings(position)),
    ),
  ];
}

function optionsOf(query: Readonly<Record<string, string>>): Record<string, unknown> {
  const maxCount = Number(query.count);
  return {
    ...(Number.isInteger(maxCount) && maxCount > 0 && query.count !== undefined && { maxCount }),
    ...(query.date !== undefined && { startDate: query.date }),
  };
}
