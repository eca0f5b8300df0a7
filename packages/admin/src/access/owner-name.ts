/**
 * Names of tokens and of users: what the audit trail shows of who did what, so that none may look like another kind of
 * caller, or like another name.
 */

import { harmless } from "remora/policy";
import { adminErrors } from "../errors.ts";

const lengthMax = 200;

/** Of the program's own token, of nobody, and of those that log in or come with another system's token. */
const taken = /^(local$|nobody$|user:|jwt:)/i;

/** @throws admin/bad-name */
export function checkOwnerName(name: string): void {
  const isShownAsItIs = harmless(name, lengthMax) === name && name.trim() === name;
  if (name === "" || !isShownAsItIs || taken.test(name)) throw adminErrors["bad-name"]({ name, lengthMax });
}
