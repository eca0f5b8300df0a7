/** What the plugin imports, as the modules that its host gives it. */

declare module "remora:signalk/deltas@0.1.0" {
  export const emit: import("./subscribing-plugin.d.ts").Deltas["emit"];
}

declare module "remora:signalk/status@0.1.0" {
  export const setStatus: import("./subscribing-plugin.d.ts").Status["setStatus"];
}

declare module "remora:signalk/subscriptions@0.1.0" {
  export const subscribe: import("./subscribing-plugin.d.ts").Subscriptions["subscribe"];
}
