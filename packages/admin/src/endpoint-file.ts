/**
 * Where a running manager is reached: a file in its folder, with the address and a token that lives as long as the
 * process. Whoever may read the folder's secrets may act on it; nobody else learns the token.
 */

import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolderFor } from "./access/record-file.ts";

export interface Endpoint {
  /** `http://127.0.0.1:7411` */
  readonly address: string;
  readonly token: string;
}

export function endpointFile(folder: string): string {
  return join(folder, "admin", "endpoint.json");
}

export function writeEndpoint(folder: string, endpoint: Endpoint): void {
  const file = endpointFile(folder);
  makeFolderFor(file);
  const draft = `${file}.part`;
  rmSync(draft, { force: true });
  writeFileSync(draft, `${JSON.stringify(endpoint)}\n`, { mode: 0o600, flag: "wx" });
  renameSync(draft, file);
}

/** Undefined when there is none, or none that can be read: a manager that was killed may have left it. */
export function readEndpoint(folder: string): Endpoint | undefined {
  try {
    const data: unknown = JSON.parse(readFileSync(endpointFile(folder), "utf8"));
    const { address, token } = (data ?? {}) as Partial<Endpoint>; // checked in the next line
    return typeof address === "string" && typeof token === "string" ? { address, token } : undefined;
  } catch {
    return undefined; // no file, or half of one: the same as no manager
  }
}

export function removeEndpoint(folder: string): void {
  rmSync(endpointFile(folder), { force: true });
}
