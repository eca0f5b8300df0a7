/** What this host uses of signalk-server: parts of the Express application that it is. */

import type { Delta } from "../delta/delta.ts";

export interface ServerApp {
  readonly selfId: string;
  readonly config: {
    readonly configPath: string;
    readonly appPath?: string;
    readonly settings?: { readonly interfaces?: { readonly wasm?: boolean } };
  };
  /** The full model; emits each delta as `delta`. */
  readonly signalk: {
    /** The part of this vessel. */
    readonly self: unknown;
    /** All of it. */
    retrieve(): unknown;
    on(event: "delta", listen: (delta: unknown) => void): void;
    removeListener(event: "delta", listen: (delta: unknown) => void): void;
  };
  /** All plugins, as the administration lists them. */
  readonly plugins: ListedPlugin[];
  readonly pluginsMap: Record<string, ListedPlugin>;
  /** Packages with pages, as the administration lists them; the server replaces the lists in its start, with ours in them. */
  webapps?: readonly unknown[];
  embeddablewebapps?: readonly unknown[];
  /** What is shown for a plugin; the administration looks for it by the plugin's name. */
  setPluginStatus(name: string, message: string): void;
  setPluginError(name: string, message: string): void;
  handleMessage(source: string, delta: Delta, version?: string): void;
  registerActionHandler(
    context: string,
    path: string,
    source: string,
    handle: (context: string, path: string, value: unknown) => Promise<unknown>,
  ): () => void;
  readonly resourcesApi?: ProviderApi;
  readonly weatherApi?: ProviderApi;
  readonly radarApi?: ProviderApi;
  readonly autopilotApi?: {
    register(plugin: string, provider: object, devices: readonly string[]): void;
    unRegister(plugin: string): void;
  };
  readonly binaryStreamManager?: { emitData(stream: string, data: Uint8Array): void };
  /** Events beside deltas, each under its own name; those of the server itself as `serverevent`. */
  on(event: string, listen: (data: unknown) => void): unknown;
  removeListener(event: string, listen: (data: unknown) => void): unknown;
  emit(event: string, data: unknown): unknown;
  /** Express: mounts a handler below these paths. */
  use(paths: string[], handler: ExpressHandler): void;
  /** Express 4: what was mounted, in the order in which requests meet it. */
  readonly _router?: { readonly stack: ExpressLayer[] };
}

export interface ExpressLayer {
  /** Of a layer that is a route. */
  readonly route?: { readonly path?: unknown; readonly methods?: Readonly<Record<string, boolean>> };
}

/**
 * What signalk-server gives to a Node plugin when it makes it: a copy of the application with some functions replaced by
 * others that act for that plugin alone. Behind it, where Express keeps it for requests, is the application itself.
 */
export interface GivenApp {
  readonly request: { readonly app: ServerApp };
  readonly debug?: (line: string) => void;
}

export interface ProviderApi {
  register(plugin: string, provider: object): void;
  unRegister(plugin: string): void;
}

/** An entry of the administration's list; signalk-server reads these fields of it. */
export interface ListedPlugin {
  readonly id: string;
  readonly name: string;
  readonly [field: string]: unknown;
}

export interface ExpressRequest {
  readonly method: string;
  /** Below the path that the handler is mounted at. */
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

export interface ExpressResponse {
  status(code: number): ExpressResponse;
  set(headers: Readonly<Record<string, string>>): ExpressResponse;
  send(body: string | Buffer): void;
}

export type ExpressHandler = (
  request: ExpressRequest,
  response: ExpressResponse,
  next: (error?: unknown) => void,
) => void;
