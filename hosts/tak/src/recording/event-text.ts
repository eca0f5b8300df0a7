/** The recording's events as CoT XML, the way that TAK clients, feeds and operators write them. */

import type { Entity } from "./entities.ts";
import type { Motion } from "./movement.ts";

/** An event about to be written: who reports what, and when. */
export interface Report {
  readonly entity: Entity;
  readonly motion: Motion;
  readonly timeMs: number;
}

/** A chat message from one client to all. */
export interface ChatLine {
  readonly entity: Entity;
  readonly motion: Motion;
  readonly timeMs: number;
  readonly messageId: string;
  readonly text: string;
}

export function reportXml({ entity, motion, timeMs }: Report): string {
  return eventXml({
    uid: entity.uid,
    type: entity.type,
    how: entity.how,
    timeMs,
    staleMs: timeMs + entity.staleSeconds * 1_000,
    motion,
    altitude: entity.altitude,
    error: entity.error,
    detail: detailXml(entity, motion, timeMs),
  });
}

export function chatXml({ entity, motion, timeMs, messageId, text }: ChatLine): string {
  const time = iso(timeMs);
  const room = "All Chat Rooms";
  const detail =
    `<__chat parent="RootContactGroup" groupOwner="false" messageId="${messageId}" chatroom="${room}" id="${room}" ` +
    `senderCallsign="${entity.callsign}"><chatgrp uid0="${entity.uid}" uid1="${room}" id="${room}"/></__chat>` +
    `<link uid="${entity.uid}" type="${entity.type}" relation="p-p"/>` +
    `<remarks source="BAO.F.ATAK.${entity.uid}" to="${room}" time="${time}">${escaped(text)}</remarks>`;
  return eventXml({
    uid: `GeoChat.${entity.uid}.${room}.${messageId}`,
    type: "b-t-f",
    how: "h-g-i-g-o",
    timeMs,
    staleMs: timeMs + 86_400_000,
    motion,
    altitude: entity.altitude,
    error: entity.error,
    detail,
  });
}

/** An emergency, or its end. */
export function alertXml({ entity, motion, timeMs }: Report, isOver: boolean): string {
  const what = isOver ? 'cancel="true"' : 'type="911 Alert"';
  return eventXml({
    uid: `${entity.uid}-9-1-1`,
    type: isOver ? "b-a-o-can" : "b-a-o-tbl",
    how: "m-g",
    timeMs,
    staleMs: timeMs + 60_000,
    motion,
    altitude: entity.altitude,
    error: entity.error,
    detail:
      `<emergency ${what}>${escaped(entity.callsign)}</emergency><contact callsign="${entity.callsign}-Alert"/>` +
      `<link uid="${entity.uid}" type="${entity.type}" relation="p-p"/>`,
  });
}

interface EventParts {
  readonly uid: string;
  readonly type: string;
  readonly how: string;
  readonly timeMs: number;
  readonly staleMs: number;
  readonly motion: Motion;
  readonly altitude: number | undefined;
  readonly error: number | undefined;
  readonly detail: string;
}

function eventXml(parts: EventParts): string {
  const [lat, lon] = parts.motion.place;
  const time = iso(parts.timeMs);
  const metres = (value: number | undefined) => (value === undefined ? "9999999.0" : value.toFixed(1));
  return (
    `<event version="2.0" uid="${escaped(parts.uid)}" type="${parts.type}" time="${time}" start="${time}" ` +
    `stale="${iso(parts.staleMs)}" how="${parts.how}">` +
    `<point lat="${lat.toFixed(6)}" lon="${lon.toFixed(6)}" hae="${metres(parts.altitude)}" ` +
    `ce="${metres(parts.error)}" le="9999999.0"/><detail>${parts.detail}</detail></event>`
  );
}

function detailXml({ detail, callsign, uid, type }: Entity, motion: Motion, timeMs: number): string {
  const track = `<track speed="${motion.speed.toFixed(2)}" course="${motion.course.toFixed(1)}"/>`;
  const contact = `<contact callsign="${escaped(callsign)}"/>`;
  switch (detail.kind) {
    case "client":
      return (
        `<contact endpoint="*:-1:stcp" callsign="${escaped(callsign)}"/>` +
        `<__group name="${detail.team}" role="${detail.role}"/>` +
        '<precisionlocation geopointsrc="GPS" altsrc="GPS"/>' +
        `<status battery="${detail.battery}"/>` +
        `<takv device="${detail.device}" platform="ATAK-CIV" os="34" version="5.2.0"/>` +
        `${track}<uid Droid="${escaped(callsign)}"/>`
      );
    case "sighting":
      return (
        `${contact}${track}<link uid="${escaped(detail.reporter)}" type="a-f-G-U-C" relation="p-p" ` +
        `production_time="${iso(timeMs)}"/><remarks>${escaped(detail.remarks)}</remarks>`
      );
    case "aircraft":
      return (
        `${contact}${track}<_aircot_ flight="${detail.flight}" reg="${detail.registration}" icao="${detail.icao}"/>` +
        `<remarks>${detail.flight} ${detail.registration} ADS-B</remarks>`
      );
    case "ship":
      return `${contact}${track}<remarks>${detail.cargo} MMSI ${detail.mmsi} AIS</remarks>`;
    case "marker":
      return (
        `${contact}<status readiness="true"/><archive/><color argb="${detail.color}"/>` +
        `<usericon iconsetpath="COT_MAPPING_2525B/${type.slice(0, 3)}/${type}"/>` +
        `<remarks>${escaped(detail.remarks)}</remarks>`
      );
    case "sensor":
      return (
        `${contact}<sensor azimuth="${Math.round(motion.course)}" elevation="0" fov="${detail.fov}" vfov="45" ` +
        `range="${detail.range}" model="${detail.model}" type="r-e" north="0"/><uid Droid="${uid}"/>`
      );
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
