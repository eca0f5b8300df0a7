/**
 * Logging in: a name and a password for a token that is good for a while. Guessing is bounded for an address and for a
 * name, and so is how many passwords are tried at a time, because that is slow on purpose.
 */

import { randomBytes } from "node:crypto";
import type { AuditTrail } from "remora/manager";
import { harmless } from "remora/policy";
import { adminErrors } from "../errors.ts";
import { jwtClaims, signJwt } from "./jwt.ts";
import { hashPassword, isPassword, passwordCharactersMax } from "./passwords.ts";
import { WatchedRecords } from "./record-file.ts";
import { RequestBudget } from "./request-budget.ts";
import type { Role } from "./roles.ts";
import type { Caller } from "./tokens.ts";
import { type UserRecord, userFile } from "./users.ts";

export interface LoginsOptions {
  /** `usersFile` */
  readonly file: string;
  /** Failures of one address, and of one name. */
  readonly failuresPerMinuteMax: number;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
  readonly trail: Pick<AuditTrail, "append">;
}

export interface Login {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
  readonly role: Role;
}

export interface Credentials {
  readonly name: string;
  readonly password: string;
  /** Of whoever asks. */
  readonly address: string;
}

/** How long a login lasts. */
const loginMs = 8 * 3_600_000;

/** Each takes 32 MiB and a thread of the pool. */
const atATimeMax = 2;

export class Logins {
  readonly #options: LoginsOptions;
  readonly #users: WatchedRecords<UserRecord>;
  readonly #byAddress: RequestBudget;
  readonly #byName: RequestBudget;
  /** Of this run: with it all logins end. */
  readonly #secret = randomBytes(32);
  /** For names that there are none of, so that they take as long as those that there are. */
  #nobody: Promise<string> | undefined;
  #running = 0;

  constructor(options: LoginsOptions) {
    const { file, failuresPerMinuteMax, monotonicMs } = options;
    this.#options = options;
    this.#users = new WatchedRecords(file, userFile);
    this.#byAddress = new RequestBudget(failuresPerMinuteMax, monotonicMs);
    this.#byName = new RequestBudget(failuresPerMinuteMax, monotonicMs);
    this.#users.current(); // a damaged file is told now
  }

  /**
   * Checks a password.
   *
   * @returns Undefined when there is no such user, or it is not the password: nobody learns which.
   * @throws admin/too-many-requests  too many failures, or too many at a time
   * @throws admin/access-file-damaged
   */
  async logIn({ name, password, address }: Credentials): Promise<Login | undefined> {
    const budgets = [
      [this.#byAddress, address],
      [this.#byName, name],
    ] as const;
    for (const [budget, who] of budgets) {
      if (budget.isSpent(who)) throw tooMany(budget.secondsUntil(who));
    }
    if (this.#running >= atATimeMax) throw tooMany(1);
    // Taken before it is known: what is tried at the same time counts too.
    for (const [budget, who] of budgets) budget.spend(who);
    this.#running++;
    try {
      const user = this.#users.current().find((one) => one.name === name);
      this.#nobody ??= hashPassword(randomBytes(16).toString("hex"));
      const hash = user?.passwordHash ?? (await this.#nobody);
      const isRight = await isPassword(password.slice(0, passwordCharactersMax), hash);
      const isIn = user !== undefined && isRight;
      const { trail } = this.#options;
      // Before it is given: what cannot be written down does not happen. Guesses are bounded above, and so are lines.
      trail.append({
        kind: isIn ? "admin.logged-in" : "admin.login-refused",
        by: harmless(callerName(name)),
        from: address,
      });
      if (!isIn) return undefined;
      for (const [budget, who] of budgets) budget.giveBack(who);
      return this.#login(user);
    } finally {
      this.#running--;
    }
  }

  /** Whose token it is: as long as it lasts, the user is there, and in the role that it has now. */
  callerOf(token: string): Caller | undefined {
    const claims = jwtClaims(token, this.#secret, this.#options.nowMs());
    const user = claims && this.#users.current().find(({ name }) => name === claims.sub);
    // One who was removed and made anew has to log in anew.
    if (user === undefined || user.createdAt !== claims?.made) return undefined;
    return { name: callerName(user.name), role: user.role };
  }

  #login({ name, role, createdAt }: UserRecord): Login {
    const nowMs = this.#options.nowMs();
    const expiresAtMs = nowMs + loginMs;
    const seconds = (ms: number) => Math.floor(ms / 1_000);
    const claims = { sub: name, role, made: createdAt, iat: seconds(nowMs), exp: seconds(expiresAtMs) };
    return { token: signJwt(claims, this.#secret), expiresAtMs, role };
  }
}

/** As the audit trail has it: whoever comes with a token has no such name. */
function callerName(user: string): string {
  return `user:${user}`;
}

function tooMany(retryAfterSeconds: number): Error {
  return adminErrors["too-many-requests"]({ retryAfterSeconds });
}
