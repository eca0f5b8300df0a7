/** `poll_oneoff`: waiting for a moment, or for a descriptor; files and the log are always ready. */

import { errno, FsError } from "../fs/errno.ts";
import type { Implementation, Preview1 } from "./call.ts";
import { clockid, eventtype, sizes, subclockflags } from "./layout.ts";

interface Timer {
  readonly userdata: bigint;
  /** From now on; of the guest's clock. */
  readonly leftNs: bigint;
}

interface Ready {
  readonly userdata: bigint;
  readonly type: number;
  readonly errno: number;
  readonly bytes: bigint;
}

export function pollFunctions({ machine, bytes, descriptors }: Preview1): Record<string, Implementation> {
  return {
    poll_oneoff: (subscriptions: number, events: number, count: number, result: number) => {
      const total = count >>> 0;
      if (total === 0 || total > machine.shared.limits.pollSubscriptionsMax) throw new FsError("inval");
      bytes.slice(events, total * sizes.event); // before waiting: the results must have their place
      bytes.slice(result, 4);
      const timers: Timer[] = [];
      const ready: Ready[] = [];
      for (let index = 0; index < total; index++) {
        const subscribed = subscription((subscriptions >>> 0) + index * sizes.subscription);
        if ("leftNs" in subscribed) timers.push(subscribed);
        else ready.push(subscribed);
      }
      let firstNs = endless;
      for (const { leftNs } of timers) if (leftNs < firstNs) firstNs = leftNs;
      if (ready.length > 0 || firstNs <= 0n) {
        writeEvents(events, result, [...ready, ...firedOf(timers, 0n)]);
        return undefined;
      }
      const waited = machine.wait("poll_oneoff", [], firstNs);
      if (waited === undefined) {
        writeEvents(events, result, firedOf(timers, firstNs));
        return undefined;
      }
      return waited.then(() => {
        writeEvents(events, result, firedOf(timers, firstNs));
        return undefined;
      });
    },
  };

  function subscription(at: number): Timer | Ready {
    const userdata = bytes.u64(at);
    const type = bytes.u8(at + 8);
    switch (type) {
      case eventtype.clock:
        return timer(at, userdata);
      case eventtype.fdRead:
      case eventtype.fdWrite:
        return readiness(bytes.u32(at + 16), userdata, type);
      default:
        throw new FsError("inval");
    }
  }

  function timer(at: number, userdata: bigint): Timer | Ready {
    const id = bytes.u32(at + 16);
    if (id !== clockid.realtime && id !== clockid.monotonic) {
      return { userdata, type: eventtype.clock, errno: errno.inval, bytes: 0n };
    }
    const timeoutNs = bytes.u64(at + 24);
    const isAbsolute = (bytes.u16(at + 40) & subclockflags.abstime) !== 0;
    if (!isAbsolute) return { userdata, leftNs: timeoutNs };
    const now = id === clockid.realtime ? machine.clock.wallNs() : machine.clock.monotonicNs();
    return { userdata, leftNs: timeoutNs - now };
  }

  function readiness(fd: number, userdata: bigint, type: number): Ready {
    try {
      const descriptor = descriptors.get(fd, "pollFdReadwrite");
      const size = descriptor.kind === "input" ? BigInt(descriptor.bytes.length - descriptor.offset) : 1n;
      const isWrongWay =
        (descriptor.kind === "input" && type === eventtype.fdWrite) ||
        (descriptor.kind === "output" && type === eventtype.fdRead);
      return { userdata, type, errno: isWrongWay ? errno.badf : errno.success, bytes: size };
    } catch (error) {
      if (error instanceof FsError) return { userdata, type, errno: error.number, bytes: 0n };
      throw error;
    }
  }

  function writeEvents(events: number, result: number, ready: readonly Ready[]): void {
    for (const [index, event] of ready.entries()) {
      const at = (events >>> 0) + index * sizes.event;
      bytes.room(at, sizes.event).fill(0);
      bytes.setU64(at, event.userdata);
      bytes.setU16(at + 8, event.errno);
      bytes.setU8(at + 10, event.type);
      if (event.type !== eventtype.clock) bytes.setU64(at + 16, event.bytes);
    }
    bytes.setU32(result, ready.length);
  }
}

const endless = 2n ** 65n;

function firedOf(timers: readonly Timer[], elapsedNs: bigint): Ready[] {
  return timers
    .filter((timer) => timer.leftNs <= elapsedNs)
    .map(({ userdata }) => ({ userdata, type: eventtype.clock, errno: errno.success, bytes: 0n }));
}
