/** `poll_oneoff`: waiting for a moment, or for a descriptor; files and the log are always ready. */

import { errno, FsError } from "../fs/errno.ts";
import type { StandardInput } from "../machine/input.ts";
import type { Implementation, Preview1 } from "./call.ts";
import { clockid, eventtype, sizes, subclockflags } from "./layout.ts";

interface Timer {
  readonly userdata: bigint;
  /** From now on; of the guest's clock. */
  readonly leftNs: bigint;
}

/** Standard input that has nothing yet. */
interface Input {
  readonly userdata: bigint;
  readonly input: StandardInput;
}

interface Ready {
  readonly userdata: bigint;
  readonly type: number;
  readonly errno: number;
  readonly bytes: bigint;
}

export function pollFunctions({ machine, bytes, descriptors }: Preview1): Record<string, Implementation> {
  const { clock, shared } = machine;
  const readClock = shared.gate.guard(
    "clock.read",
    (id: number) => (id === clockid.realtime ? clock.wallNs() : clock.monotonicNs()),
    (): undefined => undefined,
  );
  return {
    poll_oneoff: (subscriptions: number, events: number, count: number, result: number) => {
      const total = count >>> 0;
      if (total === 0 || total > machine.shared.limits.pollSubscriptionsMax) throw new FsError("inval");
      bytes.slice(events, total * sizes.event); // before waiting: the results must have their place
      bytes.slice(result, 4);
      const timers: Timer[] = [];
      const ready: Ready[] = [];
      const inputs: Input[] = [];
      for (let index = 0; index < total; index++) {
        const subscribed = subscription((subscriptions >>> 0) + index * sizes.subscription);
        if ("leftNs" in subscribed) timers.push(subscribed);
        else if ("input" in subscribed) inputs.push(subscribed);
        else ready.push(subscribed);
      }
      let firstNs = endless;
      for (const { leftNs } of timers) if (leftNs < firstNs) firstNs = leftNs;
      if (ready.length > 0 || firstNs <= 0n) {
        writeEvents(events, result, [...ready, ...arrivedOf(inputs), ...firedOf(timers, 0n)]);
        return undefined;
      }
      return until({ timers, inputs, firstNs }, (fired) => writeEvents(events, result, fired));
    },
  };

  /** Waits for input or for the first timer, and hands over what came. */
  function until(
    awaited: { timers: readonly Timer[]; inputs: readonly Input[]; firstNs: bigint },
    write: (fired: readonly Ready[]) => void,
  ): Promise<void> | undefined {
    const { timers, inputs, firstNs } = awaited;
    const changes = inputs.map(({ input }) => input.change);
    const waited = machine.wait("poll_oneoff", changes, timers.length > 0 ? firstNs : undefined);
    const told = (): Promise<void> | undefined => {
      const arrived = arrivedOf(inputs);
      // Without a timer a wait ends at the host's bound, too: it goes on until the deadline of the call.
      if (arrived.length === 0 && timers.length === 0) return until(awaited, write);
      write(arrived.length > 0 ? arrived : firedOf(timers, firstNs));
      return undefined;
    };
    return waited === undefined ? told() : waited.then(told);
  }

  function subscription(at: number): Timer | Input | Ready {
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
    // Whether a moment is over tells what time it is, to whoever asks for some of them.
    const now = readClock(id);
    if (now === undefined) {
      return { userdata, type: eventtype.clock, errno: errno.notcapable, bytes: 0n };
    }
    return { userdata, leftNs: timeoutNs - now };
  }

  function readiness(fd: number, userdata: bigint, type: number): Input | Ready {
    try {
      const descriptor = descriptors.get(fd, "pollFdReadwrite");
      if (descriptor.kind === "input" && type === eventtype.fdRead && !descriptor.input.isReady()) {
        return { userdata, input: descriptor.input };
      }
      const size = descriptor.kind === "input" ? BigInt(descriptor.input.availableBytes) : 1n;
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

function arrivedOf(inputs: readonly Input[]): Ready[] {
  return inputs
    .filter(({ input }) => input.isReady())
    .map(({ userdata, input }) => {
      const bytes = BigInt(input.availableBytes);
      return { userdata, type: eventtype.fdRead, errno: errno.success, bytes };
    });
}

function firedOf(timers: readonly Timer[], elapsedNs: bigint): Ready[] {
  return timers
    .filter((timer) => timer.leftNs <= elapsedNs)
    .map(({ userdata }) => ({ userdata, type: eventtype.clock, errno: errno.success, bytes: 0n }));
}
