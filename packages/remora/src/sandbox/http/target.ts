/** The URL of a request, in the one spelling that the gate decides on. */

import { isIP } from "node:net";
import { canonicalAddress } from "../net/address.ts";
import { HttpFailure } from "./failure.ts";

export interface Schemes {
  readonly plain: string;
  readonly secure: string;
}

export const http: Schemes = { plain: "http:", secure: "https:" };
export const webSocket: Schemes = { plain: "ws:", secure: "wss:" };

const urlLengthMax = 8_192;

/** Where a request goes, after all spellings are one. */
export interface Target {
  readonly url: URL;
  readonly isSecure: boolean;
  /** `https://api.example.org:443` */
  readonly origin: string;
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly isAddress: boolean;
}

/**
 * Reads a URL as the web does, which makes one spelling out of many ("0x7f.1", "①②⑦.0.0.1"), and refuses what is
 * no plain URL of these schemes.
 *
 * @throws HttpFailure `HTTP-request-URI-invalid`
 */
export function targetOf(text: string, schemes: Schemes = http): Target {
  if (text.length > urlLengthMax) throw new HttpFailure({ tag: "HTTP-request-URI-too-long" });
  // The parser drops tabs and line ends and takes "\" for "/": other readers of the same text do not.
  if (/[\p{Cc}\s\\]/u.test(text)) throw invalidUrl("it has a control character, a space or a backslash");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw invalidUrl("it is no URL");
  const { plain, secure } = schemes;
  if (url.protocol !== plain && url.protocol !== secure) {
    throw invalidUrl(`its scheme is not ${plain} or ${secure}`);
  }
  if (!/^[a-z]+:\/\/[^/?#]/i.test(text)) throw invalidUrl("it has no host behind //");
  if (url.username !== "" || url.password !== "" || /^[^/?#]*\/\/[^/?#]*@/.test(text)) {
    throw invalidUrl("it has a user name");
  }
  const bare = url.hostname.replace(/^\[|\]$/g, "");
  const name = bare.endsWith(".") ? bare.slice(0, -1) : bare;
  if (name === "" || /^\.|\.\.|\.$/.test(name)) throw invalidUrl("it has no host");
  // An IPv4 address in the clothes of IPv6 is decided on as what it is.
  const host = canonicalAddress(name) ?? name;
  const port = url.port === "" ? (url.protocol === secure ? 443 : 80) : Number(url.port);
  if (port === 0) throw invalidUrl("its port is 0");
  const isAddress = isIP(host) !== 0;
  const shown = isIP(host) === 6 ? `[${host}]` : host;
  url.hostname = shown; // what the server is told is what was decided on
  return {
    url,
    isSecure: url.protocol === secure,
    origin: `${url.protocol}//${shown}:${port}`,
    host,
    port,
    isAddress,
  };
}

function invalidUrl(reason: string): HttpFailure {
  return new HttpFailure({ tag: "HTTP-request-URI-invalid" }, `The URL is refused: ${reason}`);
}
