/**
 * signalk-server finds the handler of a command by the name that it was registered with, when the command says a source.
 * Ours have the plugin's id, which is the source of the plugin's values; the documentation of plugins writes the name of
 * the package. A command that has the one is made to have the other before the server looks for its handler.
 */

import { isRecord } from "../delta/delta.ts";
import { pluginIdOf } from "../plugin/manifest.ts";
import type { ExpressHandler, ServerApp } from "./server-app.ts";

const commandsPath = "/signalk/v1/api/";

/** @param isOurs Whether there is a plugin with this id. */
export function takePackageNames(app: ServerApp, isOurs: (id: string) => boolean): void {
  const handler: ExpressHandler = ({ method, body }, _response, next) => {
    if (method === "PUT" && isRecord(body) && typeof body.source === "string") {
      const id = pluginIdOf(body.source);
      if (isOurs(id)) body.source = id;
    }
    next();
  };
  app.use([commandsPath], handler);
  moveBeforeCommands(app);
}

/** What is mounted last is met last, and the server's own route for commands passes nothing on. */
function moveBeforeCommands({ _router }: ServerApp): void {
  const stack = _router?.stack ?? [];
  const commands = stack.findIndex(
    ({ route }) => route?.methods?.put === true && String(route.path).startsWith(commandsPath),
  );
  const own = stack.at(-1);
  if (commands >= 0 && own !== undefined) stack.splice(commands, 0, ...stack.splice(-1));
}
