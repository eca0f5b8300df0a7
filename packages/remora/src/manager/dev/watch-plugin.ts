/**
 * A plugin that is installed again whenever it changes: what cannot take over is told, as is what cannot be watched; what
 * needs consent waits for it as any update does.
 */

import { isRemoraError } from "../../base/index.ts";
import { type Core, tellOf } from "../core.ts";
import { managerErrors } from "../errors.ts";
import { codeOf } from "../store/file-system.ts";
import { watchPath } from "./watch.ts";

/**
 * Watches until what it gives back is called.
 *
 * @param install Installs what is at the path now. @returns The plugin's name
 * @throws manager/folder there is nothing at that path
 */
export function watchPlugin(path: string, install: () => Promise<string>, core: Core): () => void {
  let name = path;
  const take = async () => {
    name = await install();
  };
  const refused = (error: unknown) =>
    managerErrors.folder({ doing: "watch", path, reason: codeOf(error) ?? String(error) }, error);
  const onError = (error: unknown) => {
    // Told as that: it is in the list of what waits for consent, and runs when it is accepted.
    if (isRemoraError(error) && isRemoraError(error.cause, "manager/held")) return;
    // The manager was closed meanwhile, and this watch with it.
    if (isRemoraError(error, "manager/closed")) return;
    const { code, message: reason } = isRemoraError(error) ? error : refused(error);
    tellOf(core, name, { kind: "trouble", code, reason });
  };
  try {
    return watchPath(path, { clock: core.clock, take, onError });
  } catch (error) {
    throw refused(error);
  }
}
