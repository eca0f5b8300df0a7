/** The server as one guest reaches it: while a guest calls the server, no other guest is called by it. */

import type { Pace } from "../plugin/pace.ts";
import type { ServerPort } from "../server-port.ts";

/** @param onStatus Told of what the plugin says about itself. */
export function guestServer(server: ServerPort, pace: Pace, onStatus: (message: string) => void): ServerPort {
  /** Others hear of it while the guest is in the middle of its call. */
  const running = (tell: () => void) => {
    const before = pace.isGuestRunning;
    pace.isGuestRunning = true;
    try {
      tell();
    } finally {
      pace.isGuestRunning = before;
    }
  };
  return {
    ...server,
    handleMessage: (plugin, delta, version) => running(() => server.handleMessage(plugin, delta, version)),
    emitEvent: (plugin, type, data) => running(() => server.emitEvent(plugin, type, data)),
    setStatus: (plugin, status) => {
      onStatus(status.message);
      server.setStatus(plugin, status);
    },
  };
}
