/** A plugin that runs on one of the loaders, and what it may be asked. */

export interface Loaded {
  /** Tells everybody a delta. */
  say(delta: object): void;
  isRunning(): boolean;
  /** Why it does not. */
  status(): string;
  /** Deltas that the plugin was called with. */
  delivered(): number;
  poll(): Promise<unknown>;
  /** Deltas that it emitted. */
  emitted(): number;
  /** What the server was told as its status, all of it. */
  statuses(): readonly string[];
  close(): Promise<void>;
}
