/**
 * What was made over the API while the host ran, as it was asked for: a file in the folder of the plugins' manager, which a
 * change replaces whole, so that a restart, or somebody who is killed in between, finds it as it was or as it is.
 */

import { randomUUID } from "node:crypto";
import { constants, mkdirSync, readFileSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { reasonOf, takErrors } from "./errors.ts";

/** A request that was accepted. */
export interface KeptChange {
  readonly id: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly modifiedAt: string;
  /** As it came, and was checked; it is checked again when it is read. */
  readonly request: Readonly<Record<string, unknown>>;
}

export type ChangeKind = "connections" | "filters";

/** Made by people, one by one. */
export const keptChangesMax = 1_000;
const fileBytesMax = 16 * 1024 * 1024;

export class KeptChanges {
  readonly path: string;
  #kept: Readonly<Record<ChangeKind, readonly KeptChange[]>>;
  #turn: Promise<unknown> = Promise.resolve();

  /** @throws tak/kept-changes the file is there and not what we wrote */
  constructor(folder: string) {
    this.path = join(folder, "omnitak.json");
    this.#kept = readKept(this.path);
  }

  of(kind: ChangeKind): readonly KeptChange[] {
    return this.#kept[kind];
  }

  /** One change after the other, each seeing what those before it kept. */
  alone<Result>(act: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(act);
    // Whoever was before has told its own caller how it ended.
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** @throws tak/kept-changes it cannot be written; what is kept is as before */
  async write(kind: ChangeKind, changes: readonly KeptChange[]): Promise<void> {
    const next = { ...this.#kept, [kind]: changes };
    try {
      await place(this.path, `${JSON.stringify(next, undefined, 2)}\n`);
    } catch (cause) {
      throw takErrors["kept-changes"]({ path: this.path, doing: "write", problem: reasonOf(cause) }, cause);
    }
    this.#kept = next;
  }
}

async function place(path: string, text: string): Promise<void> {
  const draft = `${path}.draft-${randomUUID()}`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await using file = await open(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    await file.writeFile(text);
    await file.datasync();
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

function readKept(path: string): Record<ChangeKind, readonly KeptChange[]> {
  const refuse = (problem: string, cause?: unknown) =>
    takErrors["kept-changes"]({ path, doing: "read", problem }, cause);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as { code?: unknown }).code === "ENOENT") return { connections: [], filters: [] };
    throw refuse(reasonOf(cause), cause);
  }
  if (text.length > fileBytesMax) throw refuse(`it has more than ${fileBytesMax} characters`);
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (cause) {
    throw refuse("it is not JSON", cause);
  }
  const listOf = (kind: ChangeKind): readonly KeptChange[] => {
    const list: unknown = typeof data === "object" && data !== null ? Reflect.get(data, kind) : undefined;
    if (!Array.isArray(list) || list.length > keptChangesMax || !list.every(isKept)) {
      throw refuse(`"${kind}" must be a list of at most ${keptChangesMax} changes`);
    }
    return list;
  };
  return { connections: listOf("connections"), filters: listOf("filters") };
}

function isKept(value: unknown): value is KeptChange {
  if (typeof value !== "object" || value === null) return false;
  const { id, createdAt, modifiedAt, request } = value as Record<string, unknown>; // an object, as was just checked
  const texts = [id, createdAt, modifiedAt];
  return texts.every((one) => typeof one === "string") && typeof request === "object" && request !== null;
}
