/**
 * How targets are written, and when one covers another. A target is a line of text in a form of its kind; a granted
 * target may have wildcards, and so may a requested one: `covers` then says whether the grant covers all that the
 * request means. Nothing here backtracks, since the asked side is chosen by the guest.
 */

export type TargetKind = "origin" | "socket" | "folder" | "command" | "name" | "pattern";

export interface TargetForm {
  /** What a target of this kind looks like, for error messages. */
  readonly expected: string;
  /** The one spelling that comparisons use, or undefined when the text is no target of this kind. */
  readonly canonical: (text: string) => string | undefined;
  /** Both sides canonical. */
  readonly covers: (granted: string, asked: string) => boolean;
  /** One spelling for all that some system takes for the same: denials are compared in it. Default: the canonical one. */
  readonly folded?: (canonical: string) => string;
  /** Whether they have something in common, for a target that is had as a whole. Default: one covers the other. */
  readonly overlaps?: (denied: string, asked: string) => boolean;
}

/** Longer targets are no targets. */
export const targetLengthMax = 4_096;

export const targetKinds: Readonly<Record<TargetKind, TargetForm>> = {
  origin: {
    expected: '"https://name", "https://*.name" or "https://name:port" in ASCII, without a path, or "*"',
    canonical: canonicalOrigin,
    covers: originCovers,
  },
  socket: {
    expected:
      '"tcp connect ADDRESS PORTS", with tcp or udp, connect or listen, an address, network (192.0.2.0/24) or name, and a port or range (1-1024) or "*"',
    canonical: canonicalSocket,
    covers: socketCovers,
    overlaps: socketsOverlap,
  },
  folder: {
    expected: 'an absolute path as the guest sees it, without "." or ".."',
    canonical: canonicalFolder,
    covers: folderCovers,
    // Many file systems take letters of either case, composed or not, for the same.
    folded: foldedFolder,
  },
  command: {
    expected:
      'an absolute program path and argument patterns, separated by one space ("%20" in a word, "%25" for %)',
    canonical: canonicalCommand,
    covers: commandCovers,
    overlaps: commandsOverlap,
  },
  name: {
    expected: "a variable's name, exactly",
    canonical: (text) => (/^[A-Za-z_][A-Za-z0-9_]{0,255}$/.test(text) ? text : undefined),
    covers: (granted, asked) => granted === asked,
  },
  pattern: {
    expected: "1 to 256 characters without control characters; * stands for any run of characters",
    canonical: (text) => (/^\P{Cc}{1,256}$/u.test(text) ? text : undefined),
    covers: globCovers,
    overlaps: globsOverlap,
  },
};

/**
 * Whether a pattern in which `*` stands for any run of characters covers a text. A `*` in the text is met by a `*`
 * in the pattern alone, so that a requested pattern is covered only when all of it is.
 */
export function globCovers(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  // Each step either advances in the text or moves `resume` forward: at most pattern × text steps, both bounded.
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === "*") {
      star = p++;
      resume = t;
    } else if (p < pattern.length && pattern[p] === text[t] && text[t] !== "*") {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

/** Whether there is a text that both patterns cover. As many steps as one length times the other. */
export function globsOverlap(one: string, other: string): boolean {
  // From the end: `rests[j]` says it of what is left of `one` behind the current character and of `other` from `j`.
  let rests: boolean[] = [];
  for (let i = one.length; i >= 0; i--) {
    const found: boolean[] = [];
    for (let j = other.length; j >= 0; j--) {
      const [a, b] = [one[i], other[j]];
      if (a === "*") found[j] = rests[j] === true || (b !== undefined && found[j + 1] === true);
      else if (b === "*") found[j] = found[j + 1] === true || (a !== undefined && rests[j] === true);
      else found[j] = a === b && (a === undefined || rests[j + 1] === true);
    }
    rests = found;
  }
  return rests[0] === true;
}

const defaultPorts: Readonly<Record<string, number>> = { "http:": 80, "https:": 443, "ws:": 80, "wss:": 443 };
const originPattern =
  /^(https?:|wss?:)\/\/(\*\.)?([a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?\/?$/;

/** `scheme//host:port` in lower case and with the port always written. */
function canonicalOrigin(text: string): string | undefined {
  if (text === "*") return "*";
  const match = originPattern.exec(text.toLowerCase());
  if (match === null) return undefined;
  const [, scheme = "", wildcard = "", host = "", portText] = match;
  const port = portText === undefined ? defaultPorts[scheme] : Number(portText);
  if (port === undefined || port < 1 || port > 65_535 || host.length > 253) return undefined;
  const name = canonicalHost(host);
  if (name === undefined || (wildcard !== "" && /^\[|^[0-9.]+$/.test(name))) return undefined;
  return `${scheme}//${wildcard}${name}:${port}`;
}

/** Requests are asked for with addresses in full: no other spelling of a number would ever be met. */
function canonicalHost(host: string): string | undefined {
  if (host.startsWith("[")) {
    const address = parseNetwork(host.slice(1, -1));
    return address === undefined ? undefined : `[${formatNetwork(address)}]`;
  }
  return looksLikeNumber(host) && parseV4(host) === undefined ? undefined : host;
}

/** Whether a name could be an address to some resolver: "1.2.3" or "0x7f.1". */
function looksLikeNumber(name: string): boolean {
  return /(^|\.)(0x[0-9a-f]*|[0-9]+)$/.test(name);
}

function originCovers(granted: string, asked: string): boolean {
  if (granted === "*" || granted === asked) return true;
  const wildcardAt = granted.indexOf("//*.");
  if (wildcardAt < 0) return false;
  const scheme = granted.slice(0, wildcardAt + 2);
  if (!asked.startsWith(scheme)) return false;
  // "https://*.example.org:443" covers "https://a.example.org:443" and "https://*.a.example.org:443", not the apex.
  const suffix = granted.slice(wildcardAt + 3);
  const host = asked.slice(scheme.length);
  return host.length > suffix.length && host.endsWith(suffix);
}

function canonicalSocket(text: string): string | undefined {
  const words = text.toLowerCase().split(" ");
  const [protocol, role, address = "", ports = ""] = words;
  if (words.length !== 4 || (protocol !== "tcp" && protocol !== "udp")) return undefined;
  if (role !== "connect" && role !== "listen") return undefined;
  const range = portRange(ports);
  const canonicalAddress = socketAddress(address);
  if (range === undefined || canonicalAddress === undefined) return undefined;
  return `${protocol} ${role} ${canonicalAddress} ${range.from}-${range.to}`;
}

function socketCovers(granted: string, asked: string): boolean {
  const [protocol, role, address = "", ports = ""] = granted.split(" ");
  const [askedProtocol, askedRole, askedAddress = "", askedPorts = ""] = asked.split(" ");
  if (protocol !== askedProtocol || role !== askedRole) return false;
  const range = portRange(ports);
  const askedRange = portRange(askedPorts);
  if (range === undefined || askedRange === undefined) return false;
  if (askedRange.from < range.from || askedRange.to > range.to) return false;
  if (address === "*" || address === askedAddress) return true;
  const network = parseNetwork(address);
  const askedNetwork = parseNetwork(askedAddress);
  if (network === undefined || askedNetwork === undefined || network.bits !== askedNetwork.bits) return false;
  if (askedNetwork.prefix < network.prefix) return false;
  const shift = BigInt(network.bits - network.prefix);
  return network.value >> shift === askedNetwork.value >> shift;
}

function socketsOverlap(one: string, other: string): boolean {
  const [protocol, role, address = "", ports = ""] = one.split(" ");
  const [otherProtocol, otherRole, otherAddress = "", otherPorts = ""] = other.split(" ");
  if (protocol !== otherProtocol || role !== otherRole) return false;
  const [range, otherRange] = [portRange(ports), portRange(otherPorts)];
  if (range === undefined || otherRange === undefined) return false;
  if (range.from > otherRange.to || otherRange.from > range.to) return false;
  if (otherAddress === "*") return true;
  // Two networks have nothing in common, or one is in the other.
  const at = (address: string) => `${protocol} ${role} ${address} 1-1`;
  return socketCovers(at(address), at(otherAddress)) || socketCovers(at(otherAddress), at(address));
}

function socketAddress(text: string): string | undefined {
  if (text === "*") return text;
  const network = parseNetwork(text);
  if (network !== undefined) return formatNetwork(network);
  const isName = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(text) && text.length <= 253;
  return isName && !looksLikeNumber(text) ? text : undefined;
}

function portRange(text: string): { from: number; to: number } | undefined {
  if (text === "*") return { from: 1, to: 65_535 };
  const match = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const from = Number(match[1]);
  const to = match[2] === undefined ? from : Number(match[2]);
  return from <= to && to <= 65_535 ? { from, to } : undefined;
}

interface Network {
  readonly value: bigint;
  readonly bits: 32 | 128;
  readonly prefix: number;
}

/** An address or a network in its strict decimal or hexadecimal form; `prefix` is all bits for one address. */
export function parseNetwork(text: string): Network | undefined {
  const [address = "", prefixText, ...rest] = text.split("/");
  if (rest.length > 0) return undefined;
  const isV6 = address.includes(":");
  const value = isV6 ? parseV6(address) : parseV4(address);
  if (value === undefined) return undefined;
  const bits = isV6 ? 128 : 32;
  if (prefixText === undefined) return { value, bits, prefix: bits };
  if (!/^[0-9]{1,3}$/.test(prefixText) || Number(prefixText) > bits) return undefined;
  return { value, bits, prefix: Number(prefixText) };
}

export function formatNetwork(network: Network): string {
  const text = network.bits === 32 ? formatV4(network.value) : formatV6(network.value);
  return network.prefix === network.bits ? text : `${text}/${network.prefix}`;
}

/** Four decimal parts without leading zeros; anything else ("127.1", "0177.0.0.1") is no address here. */
function parseV4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = (value << 8n) | BigInt(part);
  }
  return value;
}

/** RFC 4291 §2.2, all three forms; no zone. */
function parseV6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groups(halves[0] ?? "");
  const tail = halves.length === 2 ? groups(halves[1] ?? "") : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return all.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

function groups(text: string): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const found: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (part.includes(".") && index === parts.length - 1) {
      const v4 = parseV4(part);
      if (v4 === undefined) return undefined;
      found.push(Number(v4 >> 16n), Number(v4 & 0xffffn));
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) {
      found.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return found;
}

function formatV4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
}

function formatV6(value: bigint): string {
  return Array.from({ length: 8 }, (_, index) =>
    ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  ).join(":");
}

function canonicalFolder(text: string): string | undefined {
  if (!text.startsWith("/") || text.length > targetLengthMax || text.includes("\0") || text.includes("\\")) {
    return undefined;
  }
  // A walk asks for each folder on its way, and those are canonical already.
  if (!/\/\.{0,2}(?:\/|$)/.test(text)) return text;
  const parts = text.split("/").filter((part) => part !== "");
  if (parts.some((part) => part === "." || part === "..")) return undefined;
  return `/${parts.join("/")}`;
}

function folderCovers(granted: string, asked: string): boolean {
  return granted === "/" || asked === granted || asked.startsWith(`${granted}/`);
}

/** To upper case first: "ß" and "ſ" are then what systems without case compare them with. Some drop what a name ends in. */
function foldedFolder(path: string): string {
  const isAscii = /^[\0-\x7f]*$/.test(path); // far quicker, and the same
  const letters = isAscii
    ? path.toLowerCase()
    : path.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC");
  return letters.replace(/(?<![. ])[. ]+(?=\/|$)/g, "");
}

function canonicalCommand(text: string): string | undefined {
  if (!text.startsWith("/") || text.length > targetLengthMax) return undefined;
  if (/\p{Cc}/u.test(text)) return undefined;
  const [program = "", ...words] = text.split(" ");
  if (program.includes("*") || program.split("/").includes("..") || words.includes("")) return undefined;
  return text;
}

/** The same program, the same number of arguments, and each argument covered by its pattern. */
function commandCovers(granted: string, asked: string): boolean {
  const patterns = granted.split(" ");
  const words = asked.split(" ");
  if (patterns.length !== words.length || patterns[0] !== words[0]) return false;
  return patterns.every((pattern, index) => index === 0 || globCovers(pattern, words[index] ?? ""));
}

function commandsOverlap(one: string, other: string): boolean {
  const words = one.split(" ");
  const others = other.split(" ");
  if (words.length !== others.length || words[0] !== others[0]) return false;
  return words.every((word, index) => index === 0 || globsOverlap(word, others[index] ?? ""));
}
