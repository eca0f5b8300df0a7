/** Version 2 of the interface: autopilots. A route is a verb of the plugin's, with what it is asked. */

import { isRecord } from "../delta/delta.ts";
import type { Autopilots } from "../providers/autopilots.ts";
import { type ApiRequest, completed, failed, type Handler, ok } from "./exchange.ts";
import { told } from "./provider-routes.ts";
import { type Route, route } from "./router.ts";

const base = "/signalk/v2/api/vessels/self/autopilots";
const invalid = failed(400, "Invalid Data supplied.");

/** Nobody is to fall overboard: a dodge is no more than this, to either side. */
const dodgeRadiansMax = (20 * Math.PI) / 180;

interface Verb {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** Below the device. */
  readonly path: string;
  /** The plugin's export, without `autopilot_`. */
  readonly ask: string;
  /** What the plugin is asked; undefined when the request has not what it takes. */
  readonly request?: (body: unknown) => Record<string, unknown> | undefined;
  /** From its answer to the interface's. */
  readonly shown?: (answer: unknown) => unknown;
}

const valued = (answer: unknown) => ({ value: answer ?? null });
const anyValue = (body: unknown) =>
  isRecord(body) && body.value !== undefined ? { value: body.value } : undefined;

/** An angle, bounded. */
const angle = (bound: (radians: number) => number) => (body: unknown) => {
  const radians = radiansOf(body);
  return radians === undefined ? undefined : { value: bound(radians) };
};

const verbs: readonly Verb[] = [
  { method: "GET", path: "", ask: "get_data", shown: (data) => data ?? null },
  {
    method: "GET",
    path: "/options",
    ask: "get_data",
    shown: (data) => (isRecord(data) ? (data.options ?? null) : null),
  },
  { method: "POST", path: "/engage", ask: "engage" },
  { method: "POST", path: "/disengage", ask: "disengage" },
  { method: "GET", path: "/state", ask: "get_state", shown: valued },
  { method: "PUT", path: "/state", ask: "set_state", request: anyValue },
  { method: "GET", path: "/mode", ask: "get_mode", shown: valued },
  { method: "PUT", path: "/mode", ask: "set_mode", request: anyValue },
  { method: "GET", path: "/target", ask: "get_target", shown: valued },
  {
    method: "PUT",
    path: "/target",
    ask: "set_target",
    request: angle((radians) => Math.min(Math.max(radians, -Math.PI), 2 * Math.PI)),
  },
  { method: "PUT", path: "/target/adjust", ask: "adjust_target", request: angle((radians) => radians) },
  { method: "POST", path: "/courseCurrentPoint", ask: "course_current_point" },
  { method: "POST", path: "/courseNextPoint", ask: "course_next_point" },
  ...(["tack", "gybe"] as const).flatMap((ask) =>
    (["port", "starboard"] as const).map((direction) => ({
      method: "POST" as const,
      path: `/${ask}/${direction}`,
      ask,
      request: () => ({ direction }),
    })),
  ),
  { method: "POST", path: "/dodge", ask: "dodge", request: () => ({ value: 0 }) },
  { method: "DELETE", path: "/dodge", ask: "dodge", request: () => ({ value: null }) },
  {
    method: "PUT",
    path: "/dodge",
    ask: "dodge",
    request: angle((radians) => Math.min(Math.max(radians, -dodgeRadiansMax), dodgeRadiansMax)),
  },
];

export function autopilotRoutes(autopilots: Autopilots): Route[] {
  return [
    route("GET", base, () => ok(autopilots.list())),
    route("GET", `${base}/_providers/_default`, () => ok({ id: autopilots.defaultDevice })),
    route("POST", `${base}/_providers/_default/:id`, ({ params }) =>
      autopilots.choose(params.id ?? "") ? completed : invalid,
    ),
    ...verbs.map((verb) =>
      route(verb.method, `${base}/:device${verb.path}`, told(carriedOut(autopilots, verb))),
    ),
  ];
}

function carriedOut(autopilots: Autopilots, { ask, request, shown }: Verb): Handler {
  return async ({ params, body }: ApiRequest) => {
    const found = autopilots.find(params.device ?? "");
    const asked = request === undefined ? {} : request(body);
    if (found === undefined || asked === undefined) return invalid;
    const { device, registration } = found;
    const answer = await registration.ask(ask, { deviceId: device, ...asked });
    return shown === undefined ? completed : ok(shown(answer));
  };
}

/** `{value, units?}`: radians, unless it says degrees. */
function radiansOf(body: unknown): number | undefined {
  if (!isRecord(body) || typeof body.value !== "number") return undefined;
  const isDegrees = typeof body.units === "string" && body.units.toLowerCase() === "deg";
  return isDegrees ? (body.value * Math.PI) / 180 : body.value;
}
