/** The admin interface of a host that runs: on a free port of loopback, where the other commands find it by the manager's folder. */

import { relative } from "node:path";
import { type AdminOptions, openAdmin } from "@remora/admin";

export interface HostAdmin {
  /** Where it is, and how to ask for the plugins from another terminal. */
  readonly line: string;
  close(): Promise<void>;
}

export async function openHostAdmin(
  options: Pick<AdminOptions, "manager" | "mounts" | "log" | "jwtSecret">,
): Promise<HostAdmin> {
  const admin = await openAdmin({ ...options, nowMs: Date.now });
  const folder = relative(process.cwd(), options.manager.folder) || ".";
  const { address } = admin;
  return {
    line: `admin interface at ${address}, its page at ${address}/docs; plugins: remora list --folder ${folder}`,
    close: () => admin.close(),
  };
}
