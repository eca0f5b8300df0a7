/**
 * Which protocol a stream speaks, agreed on in XML (protocol.txt, "Streaming Connection Protocol Negotiation"): the
 * server offers versions (`t-x-takp-v`), the client may request one (`t-x-takp-q`), the server accepts or denies
 * (`t-x-takp-r`). These are the rules alone; who sends, waits and switches is the connection.
 */

import { SaxesParser } from "saxes";
import { createMessage } from "./event-decoder.ts";
import type { CotMessage } from "./message.ts";

const OFFER = "t-x-takp-v";
const REQUEST = "t-x-takp-q";
const RESPONSE = "t-x-takp-r";

/** The version that we speak besides XML, which counts as 0. */
export const TAK_VERSION = 1;

/** The client waits at least this long for a response, and then leaves, since neither side knows what to expect. */
export const RESPONSE_WAIT_MS = 60_000;

/** What a message of the negotiation says. */
export type Negotiation =
  | { readonly kind: "offer"; readonly versions: readonly number[] }
  | { readonly kind: "request"; readonly version: number | undefined }
  | { readonly kind: "response"; readonly isAccepted: boolean };

/** What a message says, if it belongs to the negotiation; such a message is between the two, never passed on. */
export function readNegotiation(message: CotMessage): Negotiation | undefined {
  switch (message.type) {
    case OFFER: {
      const versions = elementsOf(message, "TakProtocolSupport").map((attributes) => versionOf(attributes));
      return { kind: "offer", versions: versions.filter((version) => version !== undefined) };
    }
    case REQUEST: {
      // "Only ONE TakRequest element is allowed."
      const [only, another] = elementsOf(message, "TakRequest");
      const version = only === undefined || another !== undefined ? undefined : versionOf(only);
      return { kind: "request", version };
    }
    case RESPONSE:
      return { kind: "response", isAccepted: elementsOf(message, "TakResponse")[0]?.status === "true" };
    default:
      return undefined;
  }
}

/** @param uid Names this negotiation and nothing else; the client takes it over. */
export function writeOffer(uid: string, nowMs: number): CotMessage {
  return write(OFFER, uid, nowMs, `<TakProtocolSupport version="${TAK_VERSION}"/>`);
}

export function writeRequest(uid: string, nowMs: number): CotMessage {
  return write(REQUEST, uid, nowMs, `<TakRequest version="${TAK_VERSION}"/>`);
}

export function writeResponse(uid: string, nowMs: number, isAccepted: boolean): CotMessage {
  return write(RESPONSE, uid, nowMs, `<TakResponse status="${isAccepted}"/>`);
}

function write(type: string, uid: string, nowMs: number, control: string): CotMessage {
  const staleMs = nowMs + RESPONSE_WAIT_MS;
  const detail = `<TakControl>${control}</TakControl>`;
  return createMessage({ type, uid, timeMs: nowMs, staleMs, lat: 0, lon: 0, hae: 0, how: "m-g" }, detail);
}

function versionOf(attributes: Readonly<Record<string, string>>): number | undefined {
  const text = attributes.version ?? "";
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function elementsOf(message: CotMessage, name: string): Readonly<Record<string, string>>[] {
  const found: Readonly<Record<string, string>>[] = [];
  const path: string[] = [];
  const parser = new SaxesParser();
  parser.on("opentag", (tag) => {
    path.push(tag.name);
    if (path.join("/") === `event/detail/TakControl/${name}`) found.push({ ...tag.attributes });
  });
  parser.on("closetag", () => path.pop());
  parser.write(message.xml()).close();
  return found;
}
