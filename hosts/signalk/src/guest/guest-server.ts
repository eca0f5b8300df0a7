/** The server as one guest reaches it: while a guest calls the server, no other guest is called by it. */

import type { Pace } from "../plugin/pace.ts";
import type { ServerPort } from "../server-port.ts";

/** @param onStatus Told of what the plugin says about itself. */
export function guestServer(server: ServerPort, pace: Pace, onStatus: (message: string) => void): ServerPort {
  return {
    ...server,
    handleMessage: (plugin, delta, version) => {
      const before = pace.isGuestRunning;
      pace.isGuestRunning = true;
      try {
        server.handleMessage(plugin, delta, version);
      } finally {
        pace.isGuestRunning = before;
      }
    },
    setStatus: (plugin, status) => {
      onStatus(status.message);
      server.setStatus(plugin, status);
    },
  };
}
