/**
 * A Signal K plugin that is a component and talks to a device by `wasi:sockets`, in WebAssembly text, for tests: it sends
 * "ping" to a port of this machine and answers with what comes back, or with the status 400 and the number of an error.
 */

import { i32s, servingComponent } from "./component-text.ts";

/** As much of the interfaces as this guest uses. */
const packages = `
package wasi:io@0.2.3 {
  interface error { resource error; }
  interface poll { resource pollable { block: func(); } }
  interface streams {
    use error.{error};
    variant stream-error { last-operation-failed(error), closed }
    resource input-stream { blocking-read: func(len: u64) -> result<list<u8>, stream-error>; }
    resource output-stream { blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>; }
  }
}
package wasi:sockets@0.2.3 {
  interface network {
    resource network;
    enum error-code { unknown, access-denied, not-supported, invalid-argument, out-of-memory, timeout,
      concurrency-conflict, not-in-progress, would-block, invalid-state, new-socket-limit, address-not-bindable,
      address-in-use, remote-unreachable, connection-refused, connection-reset, connection-aborted, datagram-too-large,
      name-unresolvable, temporary-resolver-failure, permanent-resolver-failure }
    enum ip-address-family { ipv4, ipv6 }
    record ipv4-socket-address { port: u16, address: tuple<u8, u8, u8, u8> }
    record ipv6-socket-address { port: u16, flow-info: u32, address: tuple<u16, u16, u16, u16, u16, u16, u16, u16>, scope-id: u32 }
    variant ip-socket-address { ipv4(ipv4-socket-address), ipv6(ipv6-socket-address) }
  }
  interface instance-network { use network.{network}; instance-network: func() -> network; }
  interface tcp {
    use wasi:io/streams@0.2.3.{input-stream, output-stream};
    use wasi:io/poll@0.2.3.{pollable};
    use network.{network, error-code, ip-socket-address};
    resource tcp-socket {
      start-connect: func(network: borrow<network>, remote-address: ip-socket-address) -> result<_, error-code>;
      finish-connect: func() -> result<tuple<input-stream, output-stream>, error-code>;
      subscribe: func() -> pollable;
    }
  }
  interface tcp-create-socket {
    use network.{error-code, ip-address-family};
    use tcp.{tcp-socket};
    create-tcp-socket: func(address-family: ip-address-family) -> result<tcp-socket, error-code>;
  }
  interface udp {
    use wasi:io/poll@0.2.3.{pollable};
    use network.{network, error-code, ip-socket-address};
    record incoming-datagram { data: list<u8>, remote-address: ip-socket-address }
    record outgoing-datagram { data: list<u8>, remote-address: option<ip-socket-address> }
    resource udp-socket {
      start-bind: func(network: borrow<network>, local-address: ip-socket-address) -> result<_, error-code>;
      finish-bind: func() -> result<_, error-code>;
      %stream: func(remote-address: option<ip-socket-address>) -> result<tuple<incoming-datagram-stream, outgoing-datagram-stream>, error-code>;
      subscribe: func() -> pollable;
    }
    resource incoming-datagram-stream {
      receive: func(max-results: u64) -> result<list<incoming-datagram>, error-code>;
      subscribe: func() -> pollable;
    }
    resource outgoing-datagram-stream {
      check-send: func() -> result<u64, error-code>;
      send: func(datagrams: list<outgoing-datagram>) -> result<u64, error-code>;
      subscribe: func() -> pollable;
    }
  }
  interface udp-create-socket {
    use network.{error-code, ip-address-family};
    use udp.{udp-socket};
    create-udp-socket: func(address-family: ip-address-family) -> result<udp-socket, error-code>;
  }
}`;

const imported = (from: string, name: string, func: string) =>
  `(import "wasi:${from}@0.2.3" "${name}" (func ${func}))`;

const imports = [
  imported("io/poll", "[method]pollable.block", "$block (param i32)"),
  imported("io/streams", "[method]input-stream.blocking-read", "$read (param i32 i64 i32)"),
  imported("io/streams", "[method]output-stream.blocking-write-and-flush", `$write (param ${i32s(4)})`),
  imported("sockets/instance-network", "instance-network", "$network (result i32)"),
  imported("sockets/tcp-create-socket", "create-tcp-socket", "$createTcp (param i32 i32)"),
  imported("sockets/tcp", "[method]tcp-socket.start-connect", `$startConnect (param ${i32s(15)})`),
  imported("sockets/tcp", "[method]tcp-socket.finish-connect", "$finishConnect (param i32 i32)"),
  imported("sockets/tcp", "[method]tcp-socket.subscribe", "$tcpReady (param i32) (result i32)"),
  imported("sockets/udp-create-socket", "create-udp-socket", "$createUdp (param i32 i32)"),
  imported("sockets/udp", "[method]udp-socket.start-bind", `$startBind (param ${i32s(15)})`),
  imported("sockets/udp", "[method]udp-socket.finish-bind", "$finishBind (param i32 i32)"),
  imported("sockets/udp", "[method]udp-socket.subscribe", "$udpReady (param i32) (result i32)"),
  imported("sockets/udp", "[method]udp-socket.stream", `$stream (param ${i32s(15)})`),
  imported("sockets/udp", "[method]outgoing-datagram-stream.check-send", "$checkSend (param i32 i32)"),
  imported("sockets/udp", "[method]outgoing-datagram-stream.send", `$send (param ${i32s(4)})`),
  imported("sockets/udp", "[method]incoming-datagram-stream.receive", "$receive (param i32 i64 i32)"),
  imported("sockets/udp", "[method]incoming-datagram-stream.subscribe", "$arrived (param i32) (result i32)"),
].join("\n  ");

const zeros = (count: number) => "(i32.const 0) ".repeat(count);
const loopback = (port: string) =>
  `(i32.const 0) ${port} (i32.const 127) (i32.const 0) (i32.const 0) (i32.const 1) ${zeros(6)}`;
/** Leaves the function with the error that lies at 1400, if one does, in the place that a result has for it. */
const orLeave = (at = 1404) => `(if (i32.load8_u (i32.const 1400)) (then
      (return (call $respond (i32.add (i32.const 400) (i32.load8_u (i32.const ${at}))) (i32.const 0) (i32.const 0) (i32.const 0)))))`;

const functions = `(data (i32.const 1300) "ping")
  (func $tcp (param $port i32) (result i32) (local $socket i32)
    (call $createTcp (i32.const 0) (i32.const 1400)) ${orLeave()}
    (local.set $socket (i32.load (i32.const 1404)))
    (call $startConnect (local.get $socket) (call $network) ${loopback("(local.get $port)")} (i32.const 1400)) ${orLeave(1401)}
    (call $block (call $tcpReady (local.get $socket)))
    (call $finishConnect (local.get $socket) (i32.const 1400)) ${orLeave()}
    (call $write (i32.load (i32.const 1408)) (i32.const 1300) (i32.const 4) (i32.const 1420))
    (call $read (i32.load (i32.const 1404)) (i64.const 100) (i32.const 1400)) ${orLeave()}
    (call $respond (i32.const 200) (i32.const 1) (i32.load (i32.const 1404)) (i32.load (i32.const 1408))))
  (func $udp (param $port i32) (result i32) (local $socket i32) (local $in i32)
    (call $createUdp (i32.const 0) (i32.const 1400)) ${orLeave()}
    (local.set $socket (i32.load (i32.const 1404)))
    (call $startBind (local.get $socket) (call $network) ${zeros(12)} (i32.const 1400)) ${orLeave(1401)}
    (call $block (call $udpReady (local.get $socket)))
    (call $finishBind (local.get $socket) (i32.const 1400)) ${orLeave(1401)}
    (call $stream (local.get $socket) (i32.const 1) ${loopback("(local.get $port)")} (i32.const 1400)) ${orLeave()}
    (local.set $in (i32.load (i32.const 1404)))
    (local.set $socket (i32.load (i32.const 1408)))
    (call $checkSend (local.get $socket) (i32.const 1400)) ${orLeave(1408)}
    (i32.store (i32.const 1500) (i32.const 1300))
    (i32.store (i32.const 1504) (i32.const 4))
    (call $send (local.get $socket) (i32.const 1500) (i32.const 1) (i32.const 1400)) ${orLeave(1408)}
    (call $block (call $arrived (local.get $in)))
    (call $receive (local.get $in) (i64.const 1) (i32.const 1400)) ${orLeave()}
    (local.set $in (i32.load (i32.const 1404)))
    (call $respond (i32.const 200) (i32.const 1) (i32.load (local.get $in)) (i32.load offset=4 (local.get $in))))`;

export interface Device {
  readonly port: number;
  /** One to which nobody may connect. */
  readonly otherPort: number;
}

/** Serves `/tcp` and `/datagram`, which talk to the device, and `/tcp-no` and `/no-datagram`, which talk to the other port. */
export function socketsComponent({ port, otherPort }: Device): Promise<Uint8Array> {
  const by = (length: number, name: string, to: number) =>
    `(if (i32.eq (local.get $length) (i32.const ${length})) (then (return (call $${name} (i32.const ${to})))))`;
  return servingComponent(
    {
      paths: ["/tcp", "/datagram", "/tcp-no", "/no-datagram"],
      imports,
      functions,
      handle: `${by(4, "tcp", port)} ${by(9, "udp", port)} ${by(7, "tcp", otherPort)} (call $udp (i32.const ${otherPort}))`,
    },
    {
      packages,
      imports: ["tcp-create-socket", "udp-create-socket", "instance-network"].map(
        (each) => `wasi:sockets/${each}@0.2.3`,
      ),
    },
  );
}
