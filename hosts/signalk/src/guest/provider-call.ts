/** From the handlers that core modules export for a provider to the functions of the world: one server asks both. */

/** A request as the server writes it; which members are there is the handler's. */
type Request = Readonly<Record<string, unknown>>;

export interface ProviderCall {
  /** The exported interface. */
  readonly from: string;
  readonly name: string;
  readonly args: (request: Request) => readonly unknown[];
}

const json = (value: unknown): string => JSON.stringify(value ?? null);

const calls: ReadonlyMap<string, ProviderCall> = new Map([
  [
    "resources_list_resources",
    resources("listResources", ({ resourceType, ...query }) => [resourceType, json(query)]),
  ],
  [
    "resources_get_resource",
    resources("getResource", ({ resourceType, id, property }) => [resourceType, id, property]),
  ],
  [
    "resources_set_resource",
    resources("setResource", ({ resourceType, id, value }) => [resourceType, id, json(value)]),
  ],
  ["resources_delete_resource", resources("deleteResource", ({ resourceType, id }) => [resourceType, id])],
  [
    "weather_get_observations",
    weather("getObservations", ({ position, options }) => [position, json(options)]),
  ],
  [
    "weather_get_forecasts",
    weather("getForecasts", ({ position, type, options }) => [position, type, json(options)]),
  ],
  ["weather_get_warnings", weather("getWarnings", ({ position }) => [position])],
]);

/** Of these the name of the request is the plugin's own business. */
const open = ["radar", "autopilot"];

/** @returns undefined for what is no provider's handler */
export function providerCall(handler: string): ProviderCall | undefined {
  const kind = open.find((each) => handler.startsWith(`${each}_`));
  if (kind === undefined) return calls.get(handler);
  const request = handler.slice(kind.length + 1);
  return { from: `${kind}-provider`, name: "ask", args: (parameters) => [request, json(parameters)] };
}

function resources(name: string, args: ProviderCall["args"]): ProviderCall {
  return { from: "resource-provider", name, args };
}

function weather(name: string, args: ProviderCall["args"]): ProviderCall {
  return { from: "weather-provider", name, args };
}
