/** A guest of a plugin, with what the plugin was given and where its things are. */

import { lstat, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Artifact } from "remora/engine";
import { harmless } from "remora/policy";
import { guestServer } from "../guest/guest-server.ts";
import type { GuestHost, GuestSettings } from "../guest/host.ts";
import { openSession, type Session } from "../guest/session.ts";
import type { GivenGrant } from "./grants.ts";
import { type PluginDeps, signalkLimits, walledLimits } from "./plugin-deps.ts";
import { privateFolderOf } from "./settings-file.ts";

export interface PluginSessionOptions {
  readonly plugin: string;
  readonly artifact: Artifact;
  readonly grants: readonly GivenGrant[];
  readonly settings: GuestSettings;
  readonly log: GuestHost["log"];
  readonly ask: GuestHost["ask"];
  /** Told of what the plugin says about itself. */
  readonly onStatus: (message: string) => void;
}

/** @throws as `openSession` */
export function openPluginSession(options: PluginSessionOptions, deps: PluginDeps): Promise<Session> {
  const { plugin, artifact, grants, settings, log, ask, onStatus } = options;
  const { dataFolder, audit, clock, guestClock, limits, networkAddresses = [], pace } = deps;
  const wall = deps.walls?.of(deps.isolation?.(plugin) ?? "inline");
  return openSession({
    plugin,
    artifact,
    wall,
    limits: { ...(wall === undefined ? signalkLimits : walledLimits), ...limits },
    ...(guestClock !== undefined && { guestClock }),
    grants: grants.map(({ grant }) => grant),
    privateFolder: privateFolderOf(dataFolder, plugin),
    networkAddresses,
    server: guestServer(deps.server, pace, (message) => onStatus(harmless(message, 1_000))),
    settings,
    audit,
    log,
    ask,
    clock,
    nowMs: () => clock.epochMs(),
  });
}

/** Whatever is there was put there by the guest: a file or a link that leads nowhere stops no start. */
async function mkdirUnlessThere(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) await mkdir(path);
}

/** Before the first guest: what it finds below its root, when it was given one. */
export async function makePrivateFolders(
  { dataFolder }: PluginDeps,
  plugin: string,
  grants: readonly GivenGrant[],
): Promise<void> {
  if (!grants.some(({ grant }) => grant.capability === "fs.private")) return;
  const root = privateFolderOf(dataFolder, plugin);
  await mkdir(root, { recursive: true });
  for (const name of ["data", "config", "tmp"]) await mkdirUnlessThere(join(root, name));
}
