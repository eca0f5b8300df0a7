/**
 * All notifications that stand: each gets an id when it is first told, by whoever tells it, and keeps it until it has been
 * normal for a while. What people do about one is told by a delta like its own.
 */

import { randomUUID } from "node:crypto";
import { isPath, isRecord, isShallow, type PathValue, type StampedDelta } from "../delta/delta.ts";
import { Refusal } from "../refusal.ts";
import {
  type Alarm,
  type AlarmValue,
  acknowledged,
  alarmStates,
  cleared,
  freshStatus,
  shownValue,
  silenced,
  toldAgain,
  withoutDeeds,
} from "./alarm.ts";

export interface NotificationsOptions {
  readonly selfContext: string;
  readonly position: () => unknown;
  readonly date: () => Date;
  /** Takes the delta of an alarm that has changed by hand. */
  readonly publish: (delta: StampedDelta) => void;
}

/** Plugins and instruments choose how many they raise; those beyond are told as they came, without an id. */
export const alarmsMax = 1_000;
const normalMsMax = 60_000;
const dataDepthMax = 8;
const messageLengthMax = 8_192;
const prefix = "notifications.";

export class Notifications {
  readonly #options: NotificationsOptions;
  readonly #byId = new Map<string, { alarm: Alarm; atMs: number }>();
  readonly #ids = new Map<string, string>();

  constructor(options: NotificationsOptions) {
    this.#options = options;
  }

  /** A delta on its way into the model: its notifications get their ids. The same when it has none. */
  told(delta: StampedDelta): StampedDelta {
    if (!delta.updates.some(({ values }) => values?.some(isNotification))) return delta;
    const { context } = delta;
    const updates = delta.updates.map((update) => {
      const { $source, values } = update;
      if (values === undefined) return update;
      return {
        ...update,
        values: values.map((item) => (isNotification(item) ? this.#tell(context, $source, item) : item)),
      };
    });
    return { context, updates };
  }

  list(): Record<string, ReturnType<typeof propertiesOf>> {
    return Object.fromEntries([...this.#byId].map(([id, { alarm }]) => [id, propertiesOf(alarm)]));
  }

  find(id: string) {
    const found = this.#byId.get(id);
    return found && propertiesOf(found.alarm);
  }

  /** @throws Refusal */
  silence(id: string): void {
    this.#change(silenced(this.#known(id)));
  }

  /** @throws Refusal */
  acknowledge(id: string): void {
    this.#change(acknowledged(this.#known(id), this.#options.date()));
  }

  /** @throws Refusal */
  clear(id: string): void {
    this.#change(cleared(this.#known(id)));
  }

  /** Each of which it can be done. */
  silenceAll(): void {
    this.#changeAll(silenced);
  }

  acknowledgeAll(): void {
    this.#changeAll((alarm) => acknowledged(alarm, this.#options.date()));
  }

  /**
   * Raises one by hand.
   *
   * @param wanted `{state, message, path?, idInPath?, includePosition?, includeCreatedAt?, data?}`
   * @returns      its id
   * @throws Refusal
   */
  raise(wanted: unknown): string {
    const { state, message, path, idInPath, includePosition, includeCreatedAt, data } = isRecord(wanted)
      ? wanted
      : {};
    if (!state || !message) throw new Refusal("Notification `state` or `message` properties are missing!");
    const isEmergency = state === "emergency";
    const id = randomUUID();
    const value = {
      ...checkedValue({ state, message, data }),
      method: ["visual", "sound"],
      ...((includePosition === true || isEmergency) && { position: this.#options.position() ?? null }),
      ...((includeCreatedAt === true || isEmergency) && { createdAt: this.#options.date().toISOString() }),
    };
    const alarm: Alarm = {
      id,
      context: "",
      path: pathOf(path, id, idInPath === true),
      $source: "notificationsApi",
      status: { ...freshStatus, canSilence: !isEmergency, canClear: true },
      value,
    };
    if (!this.#hasRoom()) throw new Refusal(`There are ${alarmsMax} notifications already`);
    this.#change(alarm);
    return id;
  }

  /** @param message Default: the usual one. @returns its id */
  manOverboard(message: unknown): string {
    return this.raise({
      state: "emergency",
      message: typeof message === "string" && message !== "" ? message : "Person Overboard!",
      path: "mob",
      idInPath: true,
    });
  }

  /** @throws Refusal */
  update(id: string, wanted: unknown): void {
    const alarm = this.#known(id);
    const { state = alarm.value.state, message = alarm.value.message, data } = isRecord(wanted) ? wanted : {};
    const value = { ...alarm.value, ...checkedValue({ state, message, data }) };
    const status = { ...alarm.status, canSilence: value.state !== "emergency" };
    this.#change({
      ...alarm,
      value,
      status: value.state === alarm.value.state ? status : withoutDeeds(status),
    });
  }

  #tell(context: string, $source: string, { path, value }: PathValue): PathValue {
    const key = `${context} ${path} ${$source}`;
    const known = this.#byId.get(this.#ids.get(key) ?? "")?.alarm;
    if (known === undefined && !this.#hasRoom()) return { path, value };
    const date = this.#options.date();
    const first = { id: randomUUID(), context, path, $source, status: freshStatus, value: silentValue };
    const alarm = toldAgain(known ?? first, value, date);
    this.#ids.set(key, alarm.id);
    this.#byId.set(alarm.id, { alarm, atMs: date.getTime() });
    return { path, value: shownValue(alarm) };
  }

  /** Makes room by what has been normal for a minute. */
  #hasRoom(): boolean {
    if (this.#byId.size < alarmsMax) return true;
    const nowMs = this.#options.date().getTime();
    for (const [id, { alarm, atMs }] of this.#byId) {
      if (alarm.value.state !== "normal" || nowMs - atMs < normalMsMax) continue;
      this.#byId.delete(id);
      this.#ids.delete(`${alarm.context} ${alarm.path} ${alarm.$source}`);
    }
    return this.#byId.size < alarmsMax;
  }

  #known(id: string): Alarm {
    const found = this.#byId.get(id);
    if (found === undefined) throw new Refusal("Alarm not found!");
    return found.alarm;
  }

  #changeAll(change: (alarm: Alarm) => Alarm): void {
    for (const { alarm } of [...this.#byId.values()]) {
      try {
        this.#change(change(alarm));
      } catch (error) {
        // It was done already, or cannot be: the others are what was asked for as well.
        if (!(error instanceof Refusal)) throw error;
      }
    }
  }

  #change(alarm: Alarm): void {
    const date = this.#options.date();
    this.#byId.set(alarm.id, { alarm, atMs: date.getTime() });
    const values = [{ path: alarm.path, value: shownValue(alarm) }];
    const { selfContext, publish } = this.#options;
    publish({
      context: alarm.context || selfContext,
      updates: [{ $source: alarm.$source, timestamp: date.toISOString(), values }],
    });
  }
}

const silentValue: AlarmValue = { state: "normal", method: [], message: "" };

function isNotification({ path }: PathValue): boolean {
  return path.startsWith(prefix);
}

function propertiesOf(alarm: Alarm) {
  return { context: alarm.context, path: alarm.path, value: shownValue(alarm) };
}

function checkedValue({ state, message, data }: Readonly<Record<string, unknown>>) {
  if (!alarmStates.has(state)) throw new Refusal("Notification `state` is none that there is!");
  if (typeof message !== "string" || message.length > messageLengthMax || !isShallow(data, dataDepthMax))
    throw new Refusal("Notification `message` or `data` cannot be taken!");
  // It is one of the set, so a text.
  return { state: state as string, message, ...(data !== undefined && data !== null && { data }) };
}

function pathOf(path: unknown, id: string, isIdInPath: boolean): string {
  if (path === undefined || path === "") return prefix + id;
  if (typeof path !== "string" || !isPath(path)) throw new Refusal("Notification `path` is none!");
  const full = path.startsWith(prefix) ? path : prefix + path;
  return isIdInPath ? `${full}.${id}` : full;
}
