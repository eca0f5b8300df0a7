/**
 * One notification with what people did about it: silenced it, acknowledged it. What it says comes from whoever raised it;
 * how it shows itself follows from both (signalk-server, "Notifications API").
 */

import { isRecord } from "../delta/delta.ts";
import { Refusal } from "../refusal.ts";

export interface AlarmStatus {
  readonly silenced: boolean;
  readonly acknowledged: boolean;
  /** ISO 8601. */
  readonly acknowledgedAt?: string;
  readonly canSilence: boolean;
  readonly canAcknowledge: boolean;
  readonly canClear: boolean;
}

export interface AlarmValue {
  readonly state: string;
  readonly method: readonly string[];
  readonly message: string;
  readonly [member: string]: unknown;
}

export interface Alarm {
  readonly id: string;
  /** Empty for this vessel's own. */
  readonly context: string;
  readonly path: string;
  readonly $source: string;
  readonly status: AlarmStatus;
  /** As it was raised, without what people did about it. */
  readonly value: AlarmValue;
}

/** Specification 1.7, "Notifications". */
export const alarmStates: ReadonlySet<unknown> = new Set([
  "normal",
  "nominal",
  "alert",
  "warn",
  "alarm",
  "emergency",
]);

export const freshStatus: AlarmStatus = {
  silenced: false,
  acknowledged: false,
  canSilence: true,
  canAcknowledge: true,
  canClear: false,
};

/** What a delta says of it. One that is normal again, and then is not, is a new one for people. */
export function toldAgain(alarm: Alarm, told: unknown, date: Date): Alarm {
  const value = readValue(told);
  const isNew = alarm.value.state === "normal" && value.state !== "normal";
  const before = { ...(isNew ? withoutDeeds(alarm.status) : alarm.status), canClear: false };
  return { ...alarm, value, status: byInstrument(before, value, date) };
}

/** The value with its id and status, and only those methods that people have not turned off. */
export function shownValue({ id, value, status }: Alarm): AlarmValue {
  return { ...value, method: shownMethods(value, status), id, status };
}

export function silenced(alarm: Alarm): Alarm {
  const { status, value } = alarm;
  if (!status.canSilence) throw new Refusal("Alarm cannot be silenced!");
  if (status.silenced || status.acknowledged) throw new Refusal("Alarm already silenced or acknowledged!");
  if (value.state === "emergency") throw new Refusal("Cannot silence Emergency Alarm!");
  return { ...alarm, status: { ...status, silenced: true } };
}

export function acknowledged(alarm: Alarm, date: Date): Alarm {
  const { status } = alarm;
  if (!status.canAcknowledge) throw new Refusal("Alarm cannot be acknowledged!");
  if (status.acknowledged) throw new Refusal("Alarm already acknowledged!");
  return { ...alarm, status: { ...status, acknowledged: true, acknowledgedAt: date.toISOString() } };
}

/** Only what was raised by hand: an instrument's alarm ends when the instrument says so. */
export function cleared(alarm: Alarm): Alarm {
  if (!alarm.status.canClear) throw new Refusal("Alarm cannot be cleared!");
  return { ...alarm, value: { ...alarm.value, state: "normal" }, status: withoutDeeds(alarm.status) };
}

export function withoutDeeds({ acknowledgedAt: _, ...status }: AlarmStatus): AlarmStatus {
  return { ...status, silenced: false, acknowledged: false };
}

/** Nothing means that it is over. */
function readValue(told: unknown): AlarmValue {
  if (!isRecord(told)) return { state: "normal", method: [], message: "" };
  const { state, method, message } = told;
  return {
    ...told,
    state: typeof state === "string" ? state : "normal",
    method: Array.isArray(method) ? method.filter((each) => typeof each === "string") : [],
    message: typeof message === "string" ? message : "",
  };
}

/** What NMEA 2000's alerts say about themselves (PGN 126983). */
function byInstrument(status: AlarmStatus, value: AlarmValue, date: Date): AlarmStatus {
  const said = (member: string) => (member in value ? value[member] === "Yes" : undefined);
  const isAcknowledged = !status.acknowledged && said("acknowledgeStatus") === true;
  return {
    ...status,
    ...(isAcknowledged && { acknowledged: true, acknowledgedAt: date.toISOString() }),
    silenced: status.silenced || said("temporarySilenceStatus") === true,
    canSilence: said("temporarySilenceSupport") ?? status.canSilence,
    canAcknowledge: said("acknowledgeSupport") ?? status.canAcknowledge,
  };
}

function shownMethods(
  { state, method }: AlarmValue,
  { silenced, acknowledged }: AlarmStatus,
): readonly string[] {
  if (acknowledged) return state === "emergency" ? ["visual"] : [];
  return silenced && state !== "emergency" ? method.filter((each) => each !== "sound") : method;
}
