/** Imports that a language's runtime wants: AssemblyScript's abort, its seed and its console; and the log. */

import { randomBytes } from "node:crypto";
import { readString } from "remora/abi";
import { signalkErrors } from "../errors.ts";
import { messageBytesMax, readMessage } from "./env-texts.ts";
import type { GuestImports } from "./host.ts";

export function runtimeImports({ host, bytes, abort }: GuestImports) {
  const { plugin, gate } = host;
  const log = gate.guard(
    "log.write",
    (text: string) => host.log("debug", text),
    () => {},
  );
  const seed = gate.guard(
    "random.read",
    () => randomBytes(6).readUIntBE(0, 6),
    () => 0,
  );
  return {
    /** The guest asserts, or throws: it never goes on after this. */
    abort(message: number, file: number, line: number, column: number): void {
      const text = (pointer: number) => readString(bytes, pointer, "an assertion", messageBytesMax);
      const reason = text(message) || "an assertion failed";
      const place = `${text(file) || "an unknown file"}:${line}:${column}`;
      abort(signalkErrors["guest-abort"]({ plugin, reason, place }));
    },
    seed,
    "console.log"(pointer: number): void {
      log(readString(bytes, pointer, "a message", messageBytesMax));
    },
    sk_debug(pointer: number, length: number): void {
      log(readMessage(bytes, pointer, length));
    },
    sk_set_status(pointer: number, length: number): void {
      host.server.setStatus(plugin, { kind: "status", message: readMessage(bytes, pointer, length) });
    },
    sk_set_error(pointer: number, length: number): void {
      host.server.setStatus(plugin, { kind: "error", message: readMessage(bytes, pointer, length) });
    },
  };
}
