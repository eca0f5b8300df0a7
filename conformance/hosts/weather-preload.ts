/**
 * Loaded into a server's process before the server, by `node --import ./conformance/hosts/weather-preload.ts`: the name of the weather service has a public address there, and a
 * connection to that address leads to the stand-in.
 */

import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";
import { Socket } from "node:net";
import { weatherHost } from "./weather-host.ts";

const publicAddress = "93.184.216.34";
const port = Number(process.env.WEATHER_PORT);

const found = { address: publicAddress, family: 4 };
const { lookup } = dns;
const { lookup: lookupLater } = dns.promises;

type Options = { readonly all?: boolean };

// What is replaced has overloads, of which the servers use these.
dns.lookup = ((name: string, options: Options, callback: (...answer: unknown[]) => void) => {
  if (name !== weatherHost) return Reflect.apply(lookup, dns, [name, options, callback]);
  return options.all === true ? callback(null, [found]) : callback(null, found.address, found.family);
}) as typeof dns.lookup;
dns.promises.lookup = (async (name: string, options: Options = {}) => {
  if (name !== weatherHost) return Reflect.apply(lookupLater, dns.promises, [name, options]);
  return options.all === true ? [found] : found;
}) as typeof dns.promises.lookup;
syncBuiltinESMExports();

const connect = Socket.prototype.connect;
Socket.prototype.connect = function connectThere(this: Socket, ...args: unknown[]) {
  // Node hands a list of normalized arguments to it, whose first is the options.
  const [options] = (Array.isArray(args[0]) ? args[0] : args) as [{ port?: unknown; host?: string }];
  if (Number(options.port) === 443) Object.assign(options, { host: "127.0.0.1", port });
  return Reflect.apply(connect, this, args);
} as typeof connect;
