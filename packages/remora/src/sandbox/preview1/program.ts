/** Arguments, environment, clocks, random numbers, exit, and the sockets that nobody has. */

import { FsError } from "../fs/errno.ts";
import type { Implementation, Preview1 } from "./call.ts";
import { utf8 } from "./guest-bytes.ts";
import { clockid } from "./layout.ts";

export function programFunctions({ machine, bytes, descriptors }: Preview1): Record<string, Implementation> {
  const { gate, clock } = { gate: machine.shared.gate, clock: machine.clock };
  const refuse = (): never => {
    throw new FsError("notcapable");
  };
  const variables = () => machine.environment().map(([name, value]) => `${name}=${value}`);
  const time = gate.guard("clock.read", (id: number) => timeOf(id), refuse);
  const timeOf = (id: number): bigint => {
    if (id === clockid.realtime) return clock.wallNs();
    if (id === clockid.monotonic) return clock.monotonicNs();
    throw new FsError("inval");
  };
  const fillRandom = gate.guard(
    "random.read",
    (pointer: number, length: number) => {
      const into = bytes.room(pointer, length);
      if (!machine.random.spend(into.length)) throw new FsError("dquot");
      machine.random.fill(into);
    },
    refuse,
  );
  return {
    args_sizes_get: (count: number, size: number) => writeSizes(machine.shared.arguments, count, size),
    args_get: (pointers: number, buffer: number) => writeStrings(machine.shared.arguments, pointers, buffer),
    environ_sizes_get: (count: number, size: number) => writeSizes(variables(), count, size),
    environ_get: (pointers: number, buffer: number) => writeStrings(variables(), pointers, buffer),
    clock_res_get: (id: number, result: number) => {
      if (id !== clockid.realtime && id !== clockid.monotonic) throw new FsError("inval");
      bytes.setU64(result, id === clockid.realtime ? clock.wallStepNs : clock.monotonicStepNs);
    },
    // The wanted precision is a hint; ours is what it is.
    clock_time_get: (id: number, _precision: bigint, result: number) => bytes.setU64(result, time(id)),
    random_get: (pointer: number, length: number) => fillRandom(pointer, length),
    proc_exit: (exitCode: number) => {
      descriptors.flush();
      machine.exit(exitCode >>> 0);
    },
    // There are no signals here, and a guest that wants to end has proc_exit.
    proc_raise: () => {
      throw new FsError("notsup");
    },
    sched_yield: () => {},
    // No descriptor is a socket in preview 1: there is no function to make one, and none is given.
    sock_accept: (fd: number) => noSocket(fd),
    sock_recv: (fd: number) => noSocket(fd),
    sock_send: (fd: number) => noSocket(fd),
    sock_shutdown: (fd: number) => noSocket(fd),
  };

  function noSocket(fd: number): never {
    descriptors.get(fd);
    throw new FsError("notsock");
  }

  function writeSizes(strings: readonly string[], count: number, size: number): void {
    bytes.setU32(count, strings.length);
    bytes.setU32(
      size,
      strings.reduce((sum, text) => sum + utf8(text).length + 1, 0),
    );
  }

  function writeStrings(strings: readonly string[], pointers: number, buffer: number): void {
    let at = buffer >>> 0;
    for (const [index, text] of strings.entries()) {
      const encoded = utf8(text);
      bytes.setU32((pointers >>> 0) + 4 * index, at);
      bytes.set(at, encoded);
      bytes.setU8(at + encoded.length, 0);
      at += encoded.length + 1;
    }
  }
}
