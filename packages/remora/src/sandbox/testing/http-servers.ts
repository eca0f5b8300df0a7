/** A real HTTP server on loopback for tests, and a resolver that knows the names it is told. */

import * as http from "node:http";
import type { AddressInfo } from "node:net";

export interface TestServer {
  readonly port: number;
  /** What arrived: method and path. */
  readonly seen: string[];
  readonly connections: () => number;
  close(): Promise<void>;
}

export type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => void;

export async function testServer(
  answer: Answer = (_request, response) => void response.end("ok"),
): Promise<TestServer> {
  let connections = 0;
  const seen: string[] = [];
  const server = http.createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  server.on("connection", () => connections++);
  server.on("clientError", (_error, socket) => void socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    port,
    seen,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Answers with the next list for a name, the last again and again; counts how often it was asked. */
export function stubResolver(names: Readonly<Record<string, readonly (readonly string[])[]>>) {
  const asked: string[] = [];
  const resolve = (name: string): Promise<readonly string[]> => {
    const answers = Object.hasOwn(names, name) ? names[name] : undefined;
    const before = asked.filter((other) => other === name).length;
    asked.push(name);
    const found = answers?.[Math.min(before, answers.length - 1)];
    return found === undefined ? Promise.reject(new Error("not found")) : Promise.resolve(found);
  };
  return { asked, resolve };
}
