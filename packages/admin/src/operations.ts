/**
 * What an operator does to plugins, in plain data. There are two ways to do it: on a manager of this process, and
 * through the admin interface of another one; whoever uses them need not know which.
 */

import type {
  AccountView,
  AuditRecordView,
  ChangeView,
  ConsentView,
  GrantView,
  PluginDetailsView,
  PluginView,
  VerdictView,
} from "./views.ts";

/** What is installed: a path or a name with a range, as the manager sees it; or a bundle's bytes. */
export type InstallSource =
  | { readonly ref: string }
  | { readonly bytes: Uint8Array; readonly origin: string };

export interface AuditQuery {
  /** At most so many, the newest. */
  readonly recordsMax: number;
  readonly beforeSeq?: number;
  readonly plugin?: string;
  /** The beginning of the kind: `plugin.`. */
  readonly kind?: string;
}

/** Something that happened: a change of state, or the accounts of all plugins. */
export type Happening =
  | { readonly kind: "metrics"; readonly atMs: number; readonly plugins: readonly PluginView[] }
  | { readonly kind: "omitted"; readonly atMs: number; readonly plugin: ""; readonly count: number }
  | {
      readonly kind: string;
      readonly atMs: number;
      readonly plugin: string;
      readonly [field: string]: unknown;
    };

export interface Operations {
  list(): Promise<PluginView[]>;
  /** @throws manager/no-such-plugin */
  details(name: string): Promise<PluginDetailsView>;
  /** What waits for consent is in `held`; all else that stops it is an error. */
  install(source: InstallSource, options?: { settings?: unknown; isEnabled?: boolean }): Promise<ChangeView>;
  update(name: string, range?: string): Promise<ChangeView>;
  rollback(name: string, version?: string): Promise<ChangeView>;
  remove(name: string, options: { readonly data: boolean }): Promise<void>;
  enable(name: string): Promise<void>;
  disable(name: string): Promise<void>;
  reload(name: string): Promise<void>;
  settings(name: string): Promise<unknown>;
  changeSettings(name: string, settings: unknown): Promise<void>;
  give(name: string, grant: GrantView): Promise<void>;
  revoke(name: string, grant: GrantView): Promise<void>;
  held(): Promise<ConsentView[]>;
  /**
   * All of what it wants, or these items alone; and its publisher, where that is another one.
   *
   * @param request As it was shown. @throws manager/held-changed what waits now is not that
   */
  accept(
    request: Answered,
    items?: readonly { capability: string; target: string | null }[],
  ): Promise<ChangeView>;
  /** @throws manager/held-changed */
  refuse(request: Answered): Promise<void>;
  audit(query: AuditQuery): Promise<AuditRecordView[]>;
  verifyAudit(expected?: { readonly seq: number; readonly hash: string }): Promise<VerdictView>;
  /** What happens from now on, until the signal; accounts of all plugins once a second when they are wanted. */
  follow(options: { readonly metrics: boolean; readonly signal: AbortSignal }): AsyncIterable<Happening>;
  close(): Promise<void>;
}

/** What an answer is for. */
export type Answered = Pick<ConsentView, "plugin" | "id">;

export type { AccountView };
