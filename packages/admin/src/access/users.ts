/** Users: people who log in with a password, for clients that know no other way. Kept beside the tokens. */

import { join } from "node:path";
import { adminErrors } from "../errors.ts";
import { checkOwnerName } from "./owner-name.ts";
import { hashPassword, isPasswordHash } from "./passwords.ts";
import { type RecordFile, readRecords, writeRecords } from "./record-file.ts";
import { isRole, type Role } from "./roles.ts";

export interface UserRecord {
  /** Unique, and what the audit trail shows. */
  readonly name: string;
  readonly role: Role;
  /** See `passwords.ts`. */
  readonly passwordHash: string;
  /** RFC 3339. */
  readonly createdAt: string;
}

export interface CreateUserOptions {
  readonly name: string;
  readonly role: Role;
  readonly password: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

export const userFile: RecordFile<UserRecord> = { what: "users", isEntry: isUserRecord };

/** In the manager's folder. */
export function usersFile(folder: string): string {
  return join(folder, "admin", "users.json");
}

/** @throws admin/access-file-damaged */
export function readUsers(file: string): UserRecord[] {
  return readRecords(file, userFile);
}

/** @throws admin/bad-name admin/user-exists admin/weak-password admin/access-file-damaged admin/access-file-unwritable */
export async function createUser(file: string, options: CreateUserOptions): Promise<void> {
  const { name, role, password, nowMs } = options;
  checkOwnerName(name);
  const mustBeNew = (users: readonly UserRecord[]) => {
    if (users.some((one) => one.name === name)) throw adminErrors["user-exists"]({ name });
    return users;
  };
  mustBeNew(readUsers(file));
  const passwordHash = await hashPassword(password);
  const createdAt = new Date(nowMs).toISOString();
  // Read again: hashing takes a while.
  writeRecords(file, [...mustBeNew(readUsers(file)), { name, role, passwordHash, createdAt }]);
}

/**
 * From the next request on nobody is in by that name.
 *
 * @throws admin/no-such-user admin/access-file-damaged admin/access-file-unwritable
 */
export function removeUser(file: string, name: string): void {
  const users = readUsers(file);
  const left = users.filter((one) => one.name !== name);
  if (left.length === users.length) throw adminErrors["no-such-user"]({ name });
  writeRecords(file, left);
}

function isUserRecord(data: unknown): data is UserRecord {
  if (typeof data !== "object" || data === null) return false;
  const { name, role, passwordHash, createdAt } = data as Record<string, unknown>; // an object, as just checked
  return (
    typeof name === "string" && isRole(role) && isPasswordHash(passwordHash) && typeof createdAt === "string"
  );
}
