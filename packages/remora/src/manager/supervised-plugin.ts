/**
 * An installed plugin's life: one pointer to the version that serves, and whoever moves it. What is replaced is
 * replaced between two calls. After a failure the breaker decides whether to go on, and a back-off when to try again;
 * a version that fails while the one before it is still ready is followed by that one.
 */

import { isRemoraError, type RemoraError } from "../base/index.ts";
import type { Grant } from "../policy/index.ts";
import { AnswerDepth } from "./bus/answer-depth.ts";
import { managerErrors } from "./errors.ts";
import { waitingCallsMax } from "./isolated-plugin.ts";
import { LatencyHistogram } from "./latency.ts";
import { Breaker, type BreakerState } from "./life/breaker.ts";
import { HealthLooks } from "./life/health-looks.ts";
import { Life, type State } from "./life/life.ts";
import { Retries } from "./life/retries.ts";
import type { EventWithoutPlace, ManagerEvent } from "./manager-event.ts";
import type { PluginMetrics } from "./plugin.ts";
import { addCounts, type PluginCounts } from "./plugin-counts.ts";
import type { PluginOwner } from "./plugin-owner.ts";
import { RetiredVersions } from "./retired-versions.ts";
import type { RunningVersion } from "./running-version.ts";
import type { InstalledVersion } from "./store/entry.ts";
import { WayBack } from "./way-back.ts";
import { withCode } from "./with-code.ts";

export class SupervisedPlugin {
  readonly name: string;
  /** Of the calls of all its versions. */
  readonly latency = new LatencyHistogram();
  /** How deep in answers to events the plugin is; see `PluginBus`. */
  readonly busDepth = new AnswerDepth();
  protected readonly owner: PluginOwner;
  readonly #life: Life;
  readonly #breaker: Breaker;
  readonly #retries: Retries;
  readonly #health: HealthLooks<RunningVersion>;
  /** The one pointer. */
  #serving: RunningVersion | undefined;
  readonly #wayBack: WayBack;
  /** Whether successes matter, which they do while the breaker is half open. */
  #isWatched = false;
  /** While a state is on its way between guests behind walls: calls wait for it. */
  #handingOver: { readonly to: RunningVersion; readonly over: Promise<void> } | undefined;
  #waitingCount = 0;
  #failure: RemoraError | undefined;
  readonly #retired = new RetiredVersions();
  #reloads = 0;
  #returns = 0;

  constructor(name: string, owner: PluginOwner) {
    this.name = name;
    this.owner = owner;
    this.#breaker = new Breaker(owner.supervisor.breaker);
    this.#retries = new Retries(owner.supervisor);
    this.#wayBack = new WayBack({
      ...owner.supervisor,
      isFit: (version) => this.#isFit(version),
      retire: (version) => this.#retired.add(version),
    });
    const onIll = (version: RunningVersion, error: unknown) => this.#fellIll(version, error);
    this.#health = new HealthLooks({ ...owner.supervisor, onIll });
    this.#life = new Life((from, event, to) => this.#tell({ kind: "state", from, event, to }));
  }

  get state(): State {
    return this.#life.state;
  }

  get breaker(): BreakerState {
    return this.#breaker.state;
  }

  /** Why it does not run, when it does not; or what the last version that was given up failed with. */
  get failure(): RemoraError | undefined {
    return this.#failure;
  }

  /** The version that serves. */
  get serving(): RunningVersion | undefined {
    return this.#serving;
  }

  /** Whether it is there to be taken over from: it was started and not stopped, though it may be broken now. */
  get hasStarted(): boolean {
    return this.#life.takes("swapped");
  }

  /** Whether the version before is still ready to take over. */
  get isOnProbation(): boolean {
    return this.#wayBack.versions.length > 0;
  }

  /** The version that serves again when the one on probation fails. */
  get versionBefore(): InstalledVersion | undefined {
    return this.#wayBack.before?.version;
  }

  /** Of the version that serves; undefined when none does. */
  get metrics(): PluginMetrics | undefined {
    return this.#serving?.guests.metrics;
  }

  /** Whether a success has to be told by `succeeded`. */
  protected get isWatched(): boolean {
    return this.#isWatched;
  }

  /** The version that gets its state now; a call has to `waitForTakeover` while there is one. */
  protected get handsOverTo(): RunningVersion | undefined {
    return this.#handingOver?.to;
  }

  counts(): PluginCounts {
    const counts = [this.#serving, ...this.#wayBack.versions].reduce(addCounts, this.#retired.counts);
    return { ...counts, reloads: this.#reloads, returns: this.#returns };
  }

  /** A first version, or one after a stop or a failure: steps 7 to 9 without anything to take over from. */
  async start(prepare: () => Promise<RunningVersion>): Promise<void> {
    this.#retries.cancel();
    // Whoever starts it before its next try cuts the wait short, and not the trial.
    if (this.#hasFailed) this.#putOnTrial();
    this.#life.on("start");
    await this.#prepare(prepare);
  }

  /**
   * Steps 8 and 9: takes over from the version that serves, so that no call comes between: on this thread in one turn of
   * the event loop, which it is when this returns; behind a wall, calls wait and are made in their order after that. The
   * version before stays ready until `settle` or `takeBack`.
   *
   * @param next Made and healthy. Closed when it cannot take over.
   * @param how  `state: false` lets the new version begin without what the old one kept in memory.
   * @returns    Whether state was handed over.
   * @throws manager/state engine/… the state could not be handed over; the version that served goes on
   */
  takeOver(next: RunningVersion, how: { readonly state: boolean }): boolean | Promise<boolean> {
    const serving = how.state ? this.#serving : undefined;
    const swap = () => {
      // It was stopped meanwhile.
      if (!this.#life.takes("swapped")) throw this.refusal();
      this.#swap(next);
    };
    let handed: boolean | Promise<boolean>;
    try {
      handed = serving?.handOver(next, swap) ?? false;
      if (serving === undefined) swap();
    } catch (error) {
      void next.drain();
      throw error;
    }
    return typeof handed === "boolean" ? handed : this.#takenOverLater(next, handed);
  }

  async #takenOverLater(next: RunningVersion, handed: Promise<boolean>): Promise<boolean> {
    // Those in line wait for the takeover, before all who come later.
    this.#serving?.guests.turnAway();
    const over = Promise.withResolvers<void>();
    this.#handingOver = { to: next, over: over.promise };
    try {
      return await handed;
    } catch (error) {
      void next.drain();
      throw error;
    } finally {
      this.#handingOver = undefined;
      over.resolve();
    }
  }

  #swap(next: RunningVersion): void {
    // What it kept in memory has gone on, and those in line go where that is.
    this.#serving?.guests.turnAway();
    this.#retries.cancel();
    this.#wayBack.open(this.#serving);
    this.#breaker.close();
    this.#isWatched = false;
    this.#retries.reset();
    this.#failure = undefined;
    this.#serve(next, "swapped");
  }

  /** Calls are this version's from here on. */
  #serve(version: RunningVersion, by: "ready" | "swapped"): void {
    this.#serving = version;
    this.#life.on(by);
    this.owner.served(this.name);
    this.#health.watch(version);
  }

  /**
   * The takeover is written down: another version is on probation from here on; one that was made anew is so only for what
   * was left of its own.
   */
  settle(): void {
    this.#wayBack.settle(this.#serving);
  }

  /**
   * The takeover could not be written down: what served before serves again, or the plugin is broken again.
   *
   * @param failed What has taken over.
   * @param error  Why it could not be.
   */
  takeBack(failed: RunningVersion, error: unknown): void {
    // A failure of the guest may have done it already.
    if (failed !== this.#serving) return;
    const before = this.#wayBack.takeBack();
    if (before === undefined) {
      this.#failure = withCode(error, this.name);
      this.#break(failed);
      return;
    }
    this.#serve(before, "swapped");
    this.#retired.add(failed);
  }

  /** No call after this one; those that run come to their end, also in versions that were replaced, before it resolves. */
  async stop(): Promise<void> {
    this.#retries.cancel();
    this.#health.stop();
    this.#wayBack.close();
    const old = this.#serving;
    this.#serving = undefined;
    this.#isWatched = false;
    this.#breaker.close();
    this.#retries.reset();
    if (old !== undefined) this.#retired.add(old);
    if (this.#life.takes("stop")) {
      this.#life.on("stop");
      this.owner.served(this.name);
    }
    await this.#retired.drained;
    if (this.#life.takes("drained")) this.#life.on("drained");
  }

  /**
   * Something was taken from it: what its guests hold by it is closed, of those too whose last calls come to their end.
   *
   * @param grantsOf What each of its versions may do from now on.
   */
  narrow(grantsOf: (version: RunningVersion) => readonly Grant[]): void {
    for (const version of [this.#serving, ...this.#wayBack.versions, ...this.#retired.draining]) {
      version?.sandbox.narrow(grantsOf(version));
    }
  }

  /** It cannot be made as it has to be from now on: no call of the version that serves, until a try succeeds. */
  giveUp(error: RemoraError): void {
    const failed = this.#serving;
    if (failed === undefined) return;
    this.#failure = error;
    this.#break(failed);
  }

  countReload(): void {
    this.#reloads++;
  }

  async #prepare(prepare: () => Promise<RunningVersion>): Promise<void> {
    let next: RunningVersion;
    try {
      next = await prepare();
    } catch (error) {
      if (this.#life.state !== "preparing") throw error;
      this.#failure = withCode(error, this.name);
      this.#life.on("failed");
      throw error;
    }
    // It was stopped or replaced while its version was made.
    if (this.#life.state !== "preparing") return next.drain();
    this.#serve(next, "ready");
  }

  /** Those that wait go on in the order in which they came, since all wait for the same promise. */
  protected async waitForTakeover(): Promise<void> {
    if (this.#waitingCount >= waitingCallsMax) {
      throw managerErrors["too-many-waiting"]({ plugin: this.name, waitingMax: waitingCallsMax });
    }
    this.#waitingCount++;
    await this.#handingOver?.over;
    this.#waitingCount--;
  }

  /**
   * A call failed. @returns The version that answers it instead, if there is one.
   */
  protected noteFailure(failed: RunningVersion, error: unknown): RunningVersion | undefined {
    // What a caller did wrong, or the world's own `err`, says nothing about the plugin.
    if (!isRemoraError(error) || error.fault !== "guest") return undefined;
    const { code, message: reason } = error;
    this.#tell({ kind: "trap", version: failed.version.version, code, reason });
    // Somebody called it while another call into it failed: it was replaced in the meantime.
    if (failed !== this.#serving) return this.#serving;
    this.#failure = error;
    const before = this.#return(failed, error);
    if (before !== undefined) return before;
    const { calls } = failed.guests.metrics;
    if (this.#breaker.failed(calls, this.owner.supervisor.clock.monotonicMs())) this.#break(failed);
    return undefined;
  }

  /**
   * A version failed: the one before it, if that is still ready, serves again, from the call that failed on.
   *
   * @returns It.
   */
  #return(failed: RunningVersion, error: RemoraError): RunningVersion | undefined {
    const before = this.#wayBack.returnFrom(failed);
    if (before === undefined) return undefined;
    this.#returns++;
    this.#serve(before, "swapped");
    this.#retired.add(failed);
    const { code, message: reason } = error;
    this.#tell({ kind: "returned", from: failed.version.version, to: before.version.version, code, reason });
    this.owner.returned(this.name, before, { version: failed, code });
    return before;
  }

  /** What was installed or removed during the probation stays, and one that cannot go on with it stays away: that is told. */
  #isFit({ version }: RunningVersion): boolean {
    const misfit = this.owner.misfitOf(this.name, version);
    if (misfit === undefined) return true;
    const { code, message: reason } = misfit;
    this.#tell({ kind: "trouble", code, reason });
    return false;
  }

  #break(failed: RunningVersion): void {
    this.#breaker.open();
    this.#wayBack.close();
    this.#serving = undefined;
    this.#isWatched = false;
    this.#health.stop();
    this.#life.on("broke");
    this.owner.served(this.name);
    this.#retired.add(failed);
    this.waitAndRetry();
  }

  /** From broken to another try, after a while. */
  waitAndRetry(): void {
    this.#life.on("wait");
    const inMs = this.#retries.plan(() => void this.#retry());
    const { code = "", message: reason = "" } = this.#failure ?? {};
    this.#tell({ kind: "waiting", inMs, code, reason });
  }

  async #retry(): Promise<void> {
    this.#life.on("retry");
    this.#putOnTrial();
    try {
      await this.#prepare(() => this.owner.prepareAgain(this.name));
    } catch {
      // `#prepare` has kept why.
      if (this.#life.state === "broken") this.waitAndRetry();
    }
  }

  get #hasFailed(): boolean {
    return this.#life.state === "broken" || this.#life.state === "backing-off";
  }

  /** The next calls decide whether it goes on. */
  #putOnTrial(): void {
    this.#breaker.halfOpen();
    this.#isWatched = true;
  }

  /** A call succeeded, in this version: the answer of one that is gone says nothing about the one that is on trial. */
  protected succeeded(version: RunningVersion): void {
    if (version !== this.#serving || !this.#breaker.succeeded()) return;
    this.#isWatched = false;
    this.#retries.reset();
    this.#failure = undefined;
  }

  #fellIll(serving: RunningVersion, error: unknown): void {
    const failure = withCode(error, this.name);
    this.#failure = failure;
    const { code, message: reason } = failure;
    this.#tell({ kind: "trap", version: serving.version.version, code, reason });
    if (this.#return(serving, failure) === undefined) this.#break(serving);
  }

  /** @param serving What a call cannot be made of at once. */
  protected refusal(serving = this.#serving): RemoraError {
    if (serving !== undefined) {
      const { isolation } = serving.inspected;
      return managerErrors["not-inline"]({ plugin: this.name, isolation });
    }
    return managerErrors["not-running"]({
      plugin: this.name,
      state: this.#life.state,
      why: this.#failure?.code ?? "",
    });
  }

  #tell(event: EventWithoutPlace): void {
    this.owner.tell({
      ...event,
      plugin: this.name,
      atMs: this.owner.supervisor.clock.dateMs(),
    } as ManagerEvent);
  }
}
