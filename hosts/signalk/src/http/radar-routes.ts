/** Version 2 of the interface: radars. A route is a verb of the plugin's, with what it is asked. */

import { isRecord } from "../delta/delta.ts";
import type { ByPlugin } from "../providers/by-plugin.ts";
import type { RadarRegistration } from "../server-port.ts";
import { type ApiRequest, type ApiResponse, completed, failed, notFound, ok } from "./exchange.ts";
import { told } from "./provider-routes.ts";
import { type Route, route } from "./router.ts";

const base = "/signalk/v2/api/vessels/self/radars";

interface Verb {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** Below the radar. */
  readonly path: string;
  /** The plugin's export, without `radar_`. */
  readonly ask: string;
  /** Adds to the request, which has the radar's id already. */
  readonly request?: (request: ApiRequest) => Record<string, unknown>;
}

/** A value as `{"value": …}`, under the name that the plugin knows it by. */
const valueAs = (name: string) => (request: ApiRequest) => ({
  [name]: isRecord(request.body) && "value" in request.body ? request.body.value : request.body,
});

const verbs: readonly Verb[] = [
  { method: "GET", path: "", ask: "get_radar_info" },
  { method: "PUT", path: "", ask: "set_controls", request: valueAs("controls") },
  { method: "PUT", path: "/power", ask: "set_power", request: valueAs("state") },
  { method: "PUT", path: "/range", ask: "set_range", request: valueAs("range") },
  { method: "PUT", path: "/gain", ask: "set_gain", request: valueAs("gain") },
  { method: "PUT", path: "/sea", ask: "set_sea", request: valueAs("sea") },
  { method: "PUT", path: "/rain", ask: "set_rain", request: valueAs("rain") },
  { method: "GET", path: "/capabilities", ask: "get_capabilities" },
  { method: "GET", path: "/state", ask: "get_state" },
  {
    method: "GET",
    path: "/controls/:control",
    ask: "get_control",
    request: ({ params }) => ({ controlId: params.control }),
  },
  {
    method: "PUT",
    path: "/controls/:control",
    ask: "set_control",
    request: (request) => ({ controlId: request.params.control, ...valueAs("value")(request) }),
  },
  { method: "GET", path: "/targets", ask: "get_targets" },
  {
    method: "POST",
    path: "/targets",
    ask: "acquire_target",
    request: ({ body }) => (isRecord(body) ? { bearing: body.bearing, distance: body.distance } : {}),
  },
  {
    method: "DELETE",
    path: "/targets/:target",
    ask: "cancel_target",
    request: ({ params }) => ({ targetId: Number(params.target) }),
  },
  { method: "GET", path: "/arpa/settings", ask: "get_arpa_settings" },
  { method: "PUT", path: "/arpa/settings", ask: "set_arpa_settings", request: valueAs("settings") },
];

export function radarRoutes(radars: ByPlugin<RadarRegistration>): Route[] {
  return [
    route(
      "GET",
      base,
      told(async () => ok(await allRadars(radars))),
    ),
    ...verbs.map((verb) =>
      route(
        verb.method,
        `${base}/:radar${verb.path}`,
        told((request) => carryOut(radars, verb, request)),
      ),
    ),
  ];
}

/** What each radar says of itself; one that cannot be asked is left out. */
async function allRadars(radars: ByPlugin<RadarRegistration>): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const provider of radars.all()) {
    for (const radarId of await idsOf(provider)) {
      const info = await provider.ask("get_radar_info", { radarId });
      if (info !== undefined && info !== null) found.push(info);
    }
  }
  return found;
}

async function carryOut(
  radars: ByPlugin<RadarRegistration>,
  verb: Verb,
  request: ApiRequest,
): Promise<ApiResponse> {
  const { radar = "" } = request.params;
  const provider = await providerOf(radars, radar);
  if (provider === undefined) return notFound;
  const answer = await provider.ask(verb.ask, { radarId: radar, ...verb.request?.(request) });
  if (verb.method === "GET") return answer === undefined || answer === null ? notFound : ok(answer);
  if (answer === false || (isRecord(answer) && (answer.success === false || "error" in answer))) {
    return failed(
      400,
      isRecord(answer) && typeof answer.error === "string" ? answer.error : "The radar refused",
    );
  }
  return completed;
}

async function providerOf(
  radars: ByPlugin<RadarRegistration>,
  radar: string,
): Promise<RadarRegistration | undefined> {
  for (const provider of radars.all()) if ((await idsOf(provider)).includes(radar)) return provider;
  return undefined;
}

async function idsOf(provider: RadarRegistration): Promise<string[]> {
  const ids = await provider.ask("get_radars", {});
  return Array.isArray(ids) ? ids.filter((id): id is string => typeof id === "string") : [];
}
