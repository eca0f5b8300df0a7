/**
 * What the operator of signalk-server says of bundles, in the form of its administration: where they are, how far they must be
 * trusted, and what each is given. A bundle that asks for something waits, and its request is a field of the form; an answer
 * is for exactly what was asked.
 */

import { type TrustRule, type TrustStore, trustLevels } from "remora/bundle";
import type { ConsentRequest } from "remora/manager";
import { harmless } from "remora/policy";
import { isRecord } from "../delta/delta.ts";

export interface BundleSettings {
  /** Where the operator puts bundles; relative to the server's own configuration folder. */
  readonly folder: string;
  readonly trust: TrustRule;
  readonly keys: TrustStore;
  /** By `requestKey`. */
  readonly answers: Readonly<Record<string, unknown>>;
}

const rules = trustLevels.filter((level) => level !== "modified");
const folderDefault = "remora-bundles";
const lengthMax = 1_000;

/** JSON Schema of it, with what waits for an answer. */
export function bundleSchema(held: readonly ConsentRequest[]): object {
  return {
    type: "object",
    title: "Bundles",
    properties: {
      folder: { type: "string", title: "Folder that they are put into", default: folderDefault },
      trust: { type: "string", title: "How far one must be trusted", enum: rules, default: "verified" },
      keys: {
        type: "array",
        title: "Publishers that are trusted",
        items: {
          type: "object",
          properties: {
            name: { type: "string", title: "Name" },
            publicKey: { type: "string", title: "Public key, 64 hexadecimal digits" },
          },
        },
      },
      ...(held.length > 0 && { answers: answersSchema(held) }),
    },
  };
}

function answersSchema(held: readonly ConsentRequest[]): object {
  return {
    type: "object",
    title: "Bundles that wait for your answer",
    properties: Object.fromEntries(
      held.map((request) => [
        requestKey(request),
        {
          type: "string",
          title: `${request.plugin} ${request.version}, ${request.trust.text}`,
          description: wantedText(request),
          enum: request.problem === undefined ? ["later", "give", "refuse"] : ["later", "refuse"],
          default: "later",
        },
      ]),
    ),
  };
}

function wantedText(request: ConsentRequest): string {
  const { problem, items } = request;
  if (problem !== undefined) return harmless(`${problem.code}: ${problem.message}`, lengthMax);
  return [...publisherText(request), ...items.map(itemText)].join("; ");
}

function publisherText({ publisher }: ConsentRequest): string[] {
  if (publisher === undefined) return [];
  const { from, to } = publisher;
  return [harmless(`It is by another publisher: ${to}, and the version that runs ${from}`, lengthMax)];
}

function itemText({ capability, target, meaning, why }: ConsentRequest["items"][number]): string {
  const what = target === undefined ? capability : `${capability} ${target}`;
  return harmless(`${what} (${meaning}): ${why}`, lengthMax);
}

/** Names a request: another file, or one that asks for more, is another question, whatever version it says it is. */
export function requestKey({ plugin, version, id }: ConsentRequest): string {
  return `${plugin} ${version} ${id}`;
}

/** The answer that the form has for a request; undefined while there is none. */
export function answerTo(
  request: ConsentRequest,
  { answers }: BundleSettings,
): "give" | "refuse" | undefined {
  const key = requestKey(request);
  const answer = Object.hasOwn(answers, key) ? answers[key] : undefined;
  return answer === "give" || answer === "refuse" ? answer : undefined;
}

/** What is not written, or is nothing that it may be, has its default. */
export function readBundleSettings(settings: unknown): BundleSettings {
  const { bundles } = isRecord(settings) ? settings : {};
  const { folder, trust, keys, answers } = isRecord(bundles) ? bundles : {};
  return {
    folder: typeof folder === "string" && folder !== "" ? folder : folderDefault,
    trust: rules.find((rule) => rule === trust) ?? "verified",
    keys: { keys: (Array.isArray(keys) ? keys : []).flatMap(readKey), revoked: [] },
    answers: isRecord(answers) ? answers : {},
  };
}

function readKey(written: unknown): TrustStore["keys"] {
  const { name, publicKey } = isRecord(written) ? written : {};
  if (typeof name !== "string" || typeof publicKey !== "string") return [];
  if (!/^[\da-f]{64}$/i.test(publicKey)) return [];
  // The form keeps no date; the key counts from ever.
  return [{ name, email: "", publicKey: publicKey.toLowerCase(), addedAt: "1970-01-01T00:00:00Z" }];
}
