/** What the plugin imports, as the modules that its host gives it. Whatever else the world has is declared the same way. */

declare module "remora:signalk/status@0.1.0" {
  export const setStatus: import("./world.d.ts").Status["setStatus"];
}

declare module "remora:signalk/subscriptions@0.1.0" {
  export const subscribe: import("./world.d.ts").Subscriptions["subscribe"];
}
