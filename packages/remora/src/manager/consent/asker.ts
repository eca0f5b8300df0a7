/**
 * Consent: what a plugin wants, item by item, put to somebody who may give it. Who that is (a person at a terminal, a
 * request that an administrator answers, a file without a person) is behind one function.
 */

import { hash } from "node:crypto";
import type { TrustLevel } from "../../bundle/index.ts";
import type { CapabilityName, Grant, Risk } from "../../policy/index.ts";
import type { PublisherChange } from "../signer.ts";

/** One power over one target: what is given or refused. */
export interface ConsentItem {
  readonly capability: CapabilityName;
  /** In canonical spelling; absent where the capability has none. */
  readonly target?: string;
  /** The plugin's own reason, as a stranger wrote it. */
  readonly why: string;
  /** What a plugin can do with it. */
  readonly meaning: string;
  readonly risk: Risk;
}

/** What is answered: an answer is for what was shown, and for nothing that has come in its place since. */
export interface Answered {
  readonly plugin: string;
  /** Of the request. */
  readonly id: string;
}

export interface ConsentRequest extends Answered {
  readonly version: string;
  /** Of the bundle, as `remora inspect` prints it: the contents, whoever has signed them. */
  readonly digest: string;
  /** Where it comes from, as whoever brought it says: a path, a source's name, a word on an upload. */
  readonly origin: string;
  /** The version that runs now; undefined when it is a first install. */
  readonly current: string | undefined;
  /** How far it is trusted: `verified by NAME`. */
  readonly trust: { readonly level: TrustLevel; readonly text: string };
  /** Somebody else than the publisher of the version that runs, and who; undefined where it is the same, or the first. */
  readonly publisher: PublisherChange | undefined;
  /** What it wants beyond what it has. */
  readonly items: readonly ConsentItem[];
  /** What it has, or is given by policy without a question. */
  readonly granted: readonly Grant[];
  /** What it wants and the policy refuses; nobody is asked. */
  readonly denied: readonly ConsentItem[];
  /**
   * Why nobody can say what a held version wants, and it cannot be accepted: its bundle is damaged, or for no host of now. It
   * can be refused, or installed again. Its `trust` is `modified`, and its lists are empty.
   */
  readonly problem?: { readonly code: string; readonly message: string };
}

/**
 * Names a request: the bundle's file with its signature, whose it is taken to be, and each thing that is asked for. 64
 * hexadecimal digits: a publisher who chooses both bundles finds no two with the same one.
 *
 * @param sha256 Of the bundle's file.
 */
export function requestId(
  { plugin, trust, publisher, items }: Pick<ConsentRequest, "plugin" | "trust" | "publisher" | "items">,
  sha256: string,
): string {
  const asked = items.map(({ capability, target = null }) => [capability, target]);
  const parts = [plugin, sha256, trust.text, publisher?.from ?? null, publisher?.to ?? null, asked];
  return hash("sha256", JSON.stringify(parts));
}

export type Consent =
  /**
   * These are given, and the other items refused. The plugin runs if it can be linked with them; one by another publisher
   * only if that is accepted too.
   */
  | {
      readonly kind: "given";
      readonly items: readonly Pick<ConsentItem, "capability" | "target">[];
      readonly acceptsPublisher?: boolean;
    }
  /** It is not installed; the version that runs goes on. */
  | { readonly kind: "refused"; readonly by: string }
  /** Nobody can say yet: the version is held, also over restarts, until `accept` or `refuse`. */
  | { readonly kind: "later" };

/** Asked only when there is something to ask. */
export type Asker = (request: ConsentRequest) => Promise<Consent>;

/** Without a person: what the policy does not give by itself waits. */
export const askNobody: Asker = async () => ({ kind: "later" });

/** Gives all that the policy lets be given, and takes any publisher: for plugins of one's own. */
export const giveAll: Asker = async ({ items }) => ({ kind: "given", items, acceptsPublisher: true });
