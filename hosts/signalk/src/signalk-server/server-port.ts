/** signalk-server as plugins reach it: the same port that the small server of this package has. */

import type { StampedDelta } from "../delta/delta.ts";
import { isRecord } from "../delta/delta.ts";
import { Publisher } from "../delta/publisher.ts";
import { eventOf, isBusEvent, isServerEvent, type ServerEvent } from "../events/event-types.ts";
import { valueAt } from "../model/value-at.ts";
import { isFound } from "../providers/resources.ts";
import { putResult } from "../put/put-result.ts";
import type {
  AutopilotRegistration,
  RadarRegistration,
  ResourceRegistration,
  ServerPort,
  WeatherRegistration,
} from "../server-port.ts";
import type { ProviderApi, ServerApp } from "./server-app.ts";

export function serverPort(app: ServerApp): ServerPort {
  const { signalk } = app;
  const resources = new SharedProvider(app.resourcesApi);
  const publisher = new Publisher();
  const heard = (delta: unknown) => {
    // It is the server's own, so it is what it claims to be; without updates there is nothing to tell.
    if (isRecord(delta) && Array.isArray(delta.updates)) publisher.tell(delta as unknown as StampedDelta, 1);
  };
  return {
    selfContext: `vessels.${app.selfId}`,
    handleMessage: (plugin, delta, version) => app.handleMessage(plugin, delta, version === 2 ? "v2" : "v1"),
    selfPath: (path) => valueAt(signalk.self, path.split(".")),
    path: (path) => valueAt(signalk.retrieve(), path.split(".")),
    onDelta(listen) {
      if (!publisher.hasListeners) signalk.on("delta", heard);
      const end = publisher.add(listen);
      return () => {
        end();
        if (!publisher.hasListeners) signalk.removeListener("delta", heard);
      };
    },
    onEvent: (type, listen) => onEvent(app, type, listen),
    // What goes between instruments goes as it is; a plugin's own says whose it is.
    emitEvent: (plugin, type, data) =>
      void app.emit(type, isBusEvent(type) ? data : eventOf({ plugin, type, data }, Date.now())),
    registerPut: (registration) => {
      const { plugin, context, path } = registration;
      return app.registerActionHandler(context, path, plugin, (_context, _path, value) =>
        putResult(registration, value),
      );
    },
    registerResources: (registration) => resources.add(registration.plugin, resourceProvider(registration)),
    registerWeather: (registration) =>
      once(app.weatherApi, registration.plugin, weatherProvider(registration)),
    registerRadar: (registration) => once(app.radarApi, registration.plugin, radarProvider(registration)),
    registerAutopilot: (registration) => registerAutopilot(app, registration),
    emitBinary: (stream, data) => app.binaryStreamManager?.emitData(stream, data),
    setStatus(plugin, { kind, message }) {
      const listed = Object.hasOwn(app.pluginsMap, plugin) ? app.pluginsMap[plugin] : undefined;
      const name = listed?.name ?? plugin;
      if (kind === "error") app.setPluginError(name, message);
      else app.setPluginStatus(name, message);
    },
  };
}

function registerAutopilot(app: ServerApp, registration: AutopilotRegistration): () => void {
  const { plugin, devices } = registration;
  app.autopilotApi?.register(plugin, autopilotProvider(registration), devices);
  return () => app.autopilotApi?.unRegister(plugin);
}

function onEvent(app: ServerApp, type: string, listen: (event: ServerEvent) => void): () => void {
  const name = isServerEvent(type) ? "serverevent" : type;
  const heard = (told: unknown) => {
    if (isBusEvent(type)) listen({ type, data: told, timestamp: Date.now() });
    else if (isRecord(told) && told.type === type) listen(readEvent(type, told));
  };
  app.on(name, heard);
  return () => void app.removeListener(name, heard);
}

function readEvent(type: string, { data, from, timestamp }: Readonly<Record<string, unknown>>): ServerEvent {
  return {
    type,
    data,
    timestamp: typeof timestamp === "number" ? timestamp : Date.now(),
    ...(typeof from === "string" && { from }),
  };
}

function once(api: ProviderApi | undefined, plugin: string, provider: object): () => void {
  api?.register(plugin, provider);
  return () => api?.unRegister(plugin);
}

/** A plugin may provide several kinds of resources, and signalk-server takes away all of a plugin's at once. */
class SharedProvider {
  readonly #api: ProviderApi | undefined;
  readonly #counts = new Map<string, number>();

  constructor(api: ProviderApi | undefined) {
    this.#api = api;
  }

  add(plugin: string, provider: object): () => void {
    this.#api?.register(plugin, provider);
    this.#counts.set(plugin, (this.#counts.get(plugin) ?? 0) + 1);
    return () => {
      const left = (this.#counts.get(plugin) ?? 0) - 1;
      this.#counts.set(plugin, left);
      if (left === 0) this.#api?.unRegister(plugin);
    };
  }
}

function resourceProvider({ type, list, get, set, remove }: ResourceRegistration): object {
  return {
    type,
    methods: {
      listResources: list,
      async getResource(id: string, property?: string) {
        const found = await get(id, property);
        if (!isFound(found)) throw new Error(`Resource not found! (${id})`);
        return found;
      },
      setResource: set,
      deleteResource: remove,
    },
  };
}

function weatherProvider({ plugin, name, observations, forecasts, warnings }: WeatherRegistration): object {
  return {
    name,
    methods: {
      pluginId: plugin,
      getObservations: observations,
      getForecasts: forecasts,
      getWarnings: warnings,
    },
  };
}

function autopilotProvider({ devices, ask }: AutopilotRegistration): object {
  // The server asks for the default by a word that no device has.
  const of = (device: string) => ({ deviceId: devices.includes(device) ? device : devices[0] });
  const about = (verb: string) => (device: string) => ask(verb, of(device));
  const given = (verb: string, name: string) => (value: unknown, device: string) =>
    ask(verb, { ...of(device), [name]: value });
  return {
    getData: about("get_data"),
    getState: about("get_state"),
    setState: given("set_state", "value"),
    getMode: about("get_mode"),
    setMode: given("set_mode", "value"),
    getTarget: about("get_target"),
    setTarget: given("set_target", "value"),
    adjustTarget: given("adjust_target", "value"),
    engage: about("engage"),
    disengage: about("disengage"),
    tack: given("tack", "direction"),
    gybe: given("gybe", "direction"),
    dodge: given("dodge", "value"),
    courseCurrentPoint: about("course_current_point"),
    courseNextPoint: about("course_next_point"),
  };
}

function radarProvider({ name, ask }: RadarRegistration): object {
  const about =
    (verb: string, ...names: readonly string[]) =>
    (radarId: string, ...values: readonly unknown[]) =>
      ask(verb, { radarId, ...Object.fromEntries(names.map((each, index) => [each, values[index]])) });
  return {
    name,
    methods: {
      getRadars: () => ask("get_radars", {}),
      getRadarInfo: about("get_radar_info"),
      setPower: about("set_power", "state"),
      setRange: about("set_range", "range"),
      setGain: about("set_gain", "gain"),
      setSea: about("set_sea", "sea"),
      setRain: about("set_rain", "rain"),
      setControls: about("set_controls", "controls"),
      getCapabilities: about("get_capabilities"),
      getState: about("get_state"),
      getControl: about("get_control", "controlId"),
      setControl: about("set_control", "controlId", "value"),
      getTargets: about("get_targets"),
      acquireTarget: about("acquire_target", "bearing", "distance"),
      cancelTarget: about("cancel_target", "targetId"),
      getArpaSettings: about("get_arpa_settings"),
      setArpaSettings: about("set_arpa_settings", "settings"),
    },
  };
}
