/**
 * The server's own lists of webapps, which its administration shows, with bundles in them; each is served under its name,
 * as signalk-server serves a package.
 */

import { isRecord } from "../delta/delta.ts";
import type { Webapp } from "../webapps/webapps.ts";
import type { ServerApp } from "./server-app.ts";

/** Where paths of the server itself begin: no page of a bundle may stand in the place of one. */
const serversOwn: ReadonlySet<string> = new Set([
  "admin",
  "doc",
  "documentation",
  "login",
  "loginStatus",
  "logout",
  "plugins",
  "signalk",
  "skServer",
]);

/** The lists, by the keyword that brings one into it. */
const lists = { "signalk-webapp": "webapps", "signalk-embeddable-webapp": "embeddablewebapps" } as const;

type Listed = Webapp["listed"];

export class WebappList {
  readonly #app: ServerApp;
  #ours: readonly Listed[] = [];

  constructor(app: ServerApp) {
    this.#app = app;
  }

  /** Whether one of ours is listed under that name: the server makes its lists anew in its start, and packages come first. */
  has(name: string): boolean {
    return this.#ours.some((entry) => entry.name === name && this.#listed().includes(entry));
  }

  /** Lists these, and no others of ours; a name that somebody else has stays theirs. */
  show(webapps: readonly Webapp[]): void {
    for (const list of Object.values(lists)) {
      this.#app[list] = (this.#app[list] ?? []).filter((entry) => !this.#ours.some((own) => own === entry));
    }
    const taken = new Set(this.#listed().map((entry) => (isRecord(entry) ? entry.name : undefined)));
    this.#ours = webapps
      .map(({ listed }) => listed)
      .filter(({ name }) => !serversOwn.has(name) && !taken.has(name));
    for (const [keyword, list] of Object.entries(lists)) {
      const added = this.#ours.filter(({ keywords }) => keywords.includes(keyword));
      this.#app[list] = [...(this.#app[list] ?? []), ...added];
    }
  }

  #listed(): readonly unknown[] {
    return Object.values(lists).flatMap((list) => this.#app[list] ?? []);
  }
}
