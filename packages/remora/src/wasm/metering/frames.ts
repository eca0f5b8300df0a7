/** The control stack of the analyser: all frames in one array, since nearly every operator that is not simple opens, closes or looks at one. */

/** What a frame was opened by. */
export const FrameKind = { block: 0, loop: 1, if: 2, else: 3, try: 4, tryTable: 5, func: 6 } as const;

/** What the array has of a frame, as offsets from its first number. */
export const Frame = {
  /** One of `FrameKind`. */
  kind: 0,
  /** Region in which it was opened, or -1 in unreachable code. */
  entryRegion: 1,
  /** Outermost frame that a branch inside targets. */
  target: 2,
  /** 1 when something branches to its label. */
  isTargeted: 3,
  /** 1 when a `try_table` catches to its label. */
  isHandler: 4,
  /** Regions of the two arms of an `if`; of a block the first is that behind its only `br_if`. */
  armRegion: 5,
  elseRegion: 6,
  /** Of a loop: its number, the loop around it and that one's frame. */
  loop: 7,
  outerLoop: 8,
  outerLoopFrame: 9,
  /** Operators since the last check: where it was opened, and the most of all ways that go to its end. */
  sinceBefore: 10,
  sinceAtEnd: 15,
  /** The most of them at all places inside that may throw. */
  sinceThrown: 16,
  /** Of the operand stack, below the parameters of the frame. */
  height: 11,
  parameters: 12,
  results: 13,
  /** Region where two ways part of which one leaves the frame and the other ends it; -1 unless there is one such place. */
  forkRegion: 14,
} as const;

/** Numbers a frame, as a power of two. */
export const frameShift = 5;

/** `Frame.target` when no branch inside leaves it. */
export const noTarget = 0x7fffffff;
