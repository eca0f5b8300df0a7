/**
 * What the two ends of a stream or a future share (CanonicalABI.md, "Stream State" and "Future State"): at most one
 * side waits for the other, with its buffer. Nothing is kept between them.
 */

import { trap } from "../abi/trap.ts";
import { type Buffer, copy } from "./buffer.ts";
import type { Element } from "./element.ts";

/** CanonicalABI.md, "CopyResult". */
export const copyResults = { completed: 0, dropped: 1, cancelled: 2 } as const;

export type CopyResult = keyof typeof copyResults;

/** One side that reads or writes. */
export interface Copier {
  /** The component instance; something else for each end of the host's. */
  readonly owner: object;
  readonly buffer: Buffer;
  /** Some values were copied, and more may be until `reclaim` is called. */
  progress(reclaim: () => void): void;
  done(result: CopyResult): void;
}

abstract class Shared {
  readonly element: Element;
  isDropped = false;
  /** Told once when an end is dropped, for an end of the host's that is not waiting here. */
  onDropped: (() => void) | undefined;
  protected pending: Copier | undefined;

  constructor(element: Element) {
    this.element = element;
  }

  /** Ends the copy that waits. */
  cancel(): void {
    this.notify("cancelled");
  }

  /** One of the ends is no more. */
  drop(): void {
    if (this.isDropped) return;
    this.isDropped = true;
    this.notify("dropped");
    const told = this.onDropped;
    this.onDropped = undefined;
    told?.();
  }

  protected notify(result: CopyResult): void {
    const { pending } = this;
    this.pending = undefined;
    pending?.done(result);
  }

  protected readonly reclaim = (): void => {
    this.pending = undefined;
  };

  /** CanonicalABI.md: "temporary", until values can be lifted from and lowered to one memory at once. */
  protected refuseSameInstance(copier: Copier, pending: Copier): void {
    if (copier.owner === pending.owner && !this.element.isNumber)
      trap("a component instance reads what it wrote itself, and it is no number");
  }

  abstract read(reader: Copier): void;
  abstract write(writer: Copier): void;
}

export class SharedStream extends Shared {
  readonly kind = "stream";

  read(reader: Copier): void {
    this.#meet(reader, (pending, count) => copy(this.element, pending.buffer, reader.buffer, count), false);
  }

  write(writer: Copier): void {
    this.#meet(writer, (pending, count) => copy(this.element, writer.buffer, pending.buffer, count), true);
  }

  #meet(copier: Copier, move: (pending: Copier, count: number) => void, isWrite: boolean): void {
    const { pending } = this;
    if (this.isDropped) {
      copier.done("dropped");
      return;
    }
    if (pending === undefined) {
      this.pending = copier;
      return;
    }
    this.refuseSameInstance(copier, pending);
    const { buffer } = copier;
    if (pending.buffer.remain > 0) {
      const count = Math.min(buffer.remain, pending.buffer.remain);
      if (count > 0) {
        move(pending, count);
        pending.progress(this.reclaim);
      }
      copier.done("completed");
    } else if (isWrite && buffer.length === 0 && pending.buffer.length === 0) {
      copier.done("completed");
    } else {
      this.notify("completed");
      this.pending = copier;
    }
  }
}

export class SharedFuture extends Shared {
  readonly kind = "future";

  read(reader: Copier): void {
    const { pending } = this;
    if (pending === undefined) {
      this.pending = reader;
      return;
    }
    this.refuseSameInstance(reader, pending);
    copy(this.element, pending.buffer, reader.buffer, 1);
    this.notify("completed");
    reader.done("completed");
  }

  write(writer: Copier): void {
    const { pending } = this;
    if (this.isDropped) {
      writer.done("dropped");
      return;
    }
    if (pending === undefined) {
      this.pending = writer;
      return;
    }
    this.refuseSameInstance(writer, pending);
    copy(this.element, writer.buffer, pending.buffer, 1);
    this.notify("completed");
    writer.done("completed");
  }
}

export type SharedCopy = SharedStream | SharedFuture;
