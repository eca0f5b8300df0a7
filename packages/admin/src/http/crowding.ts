/**
 * When there are more connections than the interface has places for. Those beyond are taken all the same, so that who
 * asks gets an answer: operators and admins theirs, everybody else that they are to come again. Where even that would be
 * too many, Node closes them at once.
 */

import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { adminErrors } from "../errors.ts";
import type { App } from "./app.ts";

export interface CrowdingOptions {
  readonly connectionsMax: number;
  /** How long one beyond them may be silent, milliseconds. */
  readonly askMsMax: number;
}

/** Beyond the places. Each costs a socket and some kilobytes. */
const standingMax = 1_024;

const retryAfterSeconds = 1;

/** After whoever adds `request.caller`. */
export function boundConnections(app: App, { connectionsMax, askMsMax }: CrowdingOptions): void {
  const { server } = app;
  /** Those that came when all places were taken, and what ends them if they ask nothing. */
  const standing = new WeakMap<Socket, NodeJS.Timeout>();
  let open = 0;
  const isCrowded = (socket: Socket) => open > connectionsMax && standing.has(socket);
  const asked = ({ socket }: IncomingMessage) => clearTimeout(standing.get(socket));
  server.maxConnections = connectionsMax + standingMax;
  server.on("connection", (socket: Socket) => {
    open++;
    socket.once("close", () => {
      open--;
      clearTimeout(standing.get(socket));
    });
    if (open <= connectionsMax) return;
    standing.set(
      socket,
      setTimeout(() => socket.destroy(), askMsMax),
    );
  });
  server.on("request", asked);
  server.on("upgrade", asked);
  app.addHook("onRequest", async ({ raw, caller, routeOptions }) => {
    if (!isCrowded(raw.socket) || routeOptions.config.role === "everybody") return;
    if (caller === undefined || caller.role === "reader") {
      throw adminErrors["too-many-connections"]({ connectionsMax, retryAfterSeconds });
    }
  });
  app.addHook("onSend", async (_request, reply) => {
    // Clients keep connections for what they may ask later: half of the places is enough for that.
    if (open > connectionsMax / 2) void reply.header("connection", "close");
  });
}
