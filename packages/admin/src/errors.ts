/** What the admin interface can fail at; all else has the code of the layer that failed. */

import { defineErrors } from "remora/base";
import { harmless } from "remora/policy";

export const adminErrors = defineErrors("admin", {
  "bad-name": {
    fault: "operator",
    message: (d: { name: string; lengthMax: number }) =>
      `Cannot name a token or a user "${harmless(d.name)}": allowed are 1 to ${d.lengthMax} characters that can be seen, and what the audit trail has for no others: not "local", "nobody", "user:…" or "jwt:…"`,
  },
  "bad-request": {
    fault: "operator",
    message: (d: { problem: string }) => `Cannot understand the request: ${harmless(d.problem, 500)}`,
  },
  unauthorized: {
    fault: "operator",
    message: (d: { found: string }) =>
      `Cannot answer: ${d.found}; send a token as "Authorization: Bearer TOKEN", which "remora tokens create" makes`,
  },
  forbidden: {
    fault: "operator",
    message: (d: { role: string; needed: string }) =>
      `Cannot do this as ${d.role}: it takes the role ${d.needed}`,
  },
  "foreign-host": {
    fault: "operator",
    message: (d: { what: string; found: string }) =>
      `Cannot answer a request whose ${d.what} is "${harmless(d.found)}": it is none of this interface's own`,
  },
  "too-many-requests": {
    fault: "operator",
    message: (d: { retryAfterSeconds: number }) =>
      `Cannot answer so many requests: try again in ${d.retryAfterSeconds} s`,
  },
  "too-large": {
    fault: "operator",
    message: (d: { bytesMax: number | undefined }) =>
      `Cannot take this much: allowed are ${d.bytesMax ?? "fewer"} bytes`,
  },
  "unsupported-type": {
    fault: "operator",
    message: (d: { problem: string }) =>
      `Cannot read a body of this type: ${harmless(d.problem, 500)}; allowed is what the OpenAPI document says of the path`,
  },
  "no-route": {
    fault: "operator",
    message: (d: { route: string }) => `Cannot find "${harmless(d.route, 300)}"`,
  },
  "too-many-connections": {
    fault: "operator",
    message: (d: { connectionsMax: number; retryAfterSeconds: number }) =>
      `Cannot answer while more than ${d.connectionsMax} connections are open: try again in ${d.retryAfterSeconds} s`,
  },
  "too-many-streams": {
    fault: "operator",
    message: (d: { streamsMax: number }) =>
      `Cannot open another stream of events: ${d.streamsMax} are open, and no more are allowed`,
  },
  internal: {
    fault: "platform",
    message: () => "Cannot finish: a mistake of ours, which the log has",
  },
  "listen-failed": {
    fault: "operator",
    message: (d: { address: string; reason: string }) => `Cannot listen on ${d.address}: ${d.reason}`,
  },
  "access-file-damaged": {
    fault: "operator",
    message: (d: { what: string; file: string; problem: string }) =>
      `Cannot read the ${d.what} in "${d.file}": ${d.problem}`,
  },
  "access-file-unwritable": {
    fault: "operator",
    message: (d: { file: string; reason: string }) => `Cannot write "${d.file}": ${d.reason}`,
  },
  "no-such-token": {
    fault: "operator",
    message: (d: { name: string }) => `Cannot find a token with the name "${harmless(d.name)}"`,
  },
  "token-exists": {
    fault: "operator",
    message: (d: { name: string }) => `Cannot make a second token with the name "${harmless(d.name)}"`,
  },
  "no-such-user": {
    fault: "operator",
    message: (d: { name: string }) => `Cannot find a user with the name "${harmless(d.name)}"`,
  },
  "user-exists": {
    fault: "operator",
    message: (d: { name: string }) => `Cannot make a second user with the name "${harmless(d.name)}"`,
  },
  "weak-password": {
    fault: "operator",
    message: (d: { found: number; charactersMin: number; charactersMax: number }) =>
      `Cannot take a password of ${d.found} characters: allowed are ${d.charactersMin} to ${d.charactersMax}`,
  },
  unreachable: {
    fault: "operator",
    message: (d: { address: string; reason: string }) =>
      `Cannot reach the manager at ${d.address}: ${harmless(d.reason)}`,
  },
  "foreign-answer": {
    fault: "operator",
    message: (d: { address: string; status: number }) =>
      `Cannot take what answers at ${d.address} for a manager: it answered ${d.status} with something else`,
  },
});
