/** A TCP port of the loopback that nobody has. */

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a TCP server's is no path
  server.close();
  await once(server, "close");
  return port;
}
