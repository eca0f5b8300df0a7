/**
 * Who and what is in the recording: for each kind how many there are, their type, how they move, how often they
 * report and what their events carry. All names and numbers are made up.
 */

import { atSea, flight, inTown, nearby, roadTrip, seaTrip } from "./geography.ts";
import { circle, type Place, racetrack, Track } from "./movement.ts";
import type { Random } from "./random.ts";

export interface Entity {
  readonly uid: string;
  readonly type: string;
  readonly how: string;
  readonly format: "xml" | "protobuf";
  readonly callsign: string;
  readonly track: Track;
  /** Metres above the ellipsoid; undefined where its reports do not know it. */
  readonly altitude: number | undefined;
  /** Circular error in metres. */
  readonly error: number | undefined;
  readonly intervalSeconds: number;
  readonly staleSeconds: number;
  /** The first report, in seconds; so that not all report at once. */
  readonly phaseSeconds: number;
  readonly detail: Detail;
}

/** What stands in the detail element beside contact and track. */
export type Detail =
  | {
      readonly kind: "client";
      readonly team: string;
      readonly role: string;
      readonly device: string;
      readonly battery: number;
    }
  | { readonly kind: "sighting"; readonly reporter: string; readonly remarks: string }
  | {
      readonly kind: "aircraft";
      readonly flight: string;
      readonly registration: string;
      readonly icao: string;
    }
  | { readonly kind: "ship"; readonly mmsi: number; readonly cargo: string }
  | { readonly kind: "marker"; readonly color: number; readonly remarks: string }
  | { readonly kind: "sensor"; readonly model: string; readonly range: number; readonly fov: number };

interface Kind {
  readonly count: number;
  readonly types: readonly [string, ...string[]];
  readonly how: string;
  /** Of the events of this kind, the share in TAK protocol v1. */
  readonly protobufShare: number;
  /** Metres a second. */
  readonly speed: readonly [number, number];
  readonly intervalSeconds: readonly [number, number];
  readonly altitude?: readonly [number, number];
  readonly way: (random: Random) => readonly Place[];
  readonly name: (random: Random, index: number) => { uid: string; callsign: string; detail: Detail };
}

export function makeEntities(random: Random): Entity[] {
  return kinds.flatMap((kind) =>
    Array.from({ length: kind.count }, (_, index) => entityOf(kind, random, index)),
  );
}

function entityOf(kind: Kind, random: Random, index: number): Entity {
  const intervalSeconds = random.between(...kind.intervalSeconds);
  const altitude = kind.altitude === undefined ? undefined : random.between(...kind.altitude);
  return {
    ...kind.name(random, index),
    type: random.pick(kind.types),
    how: kind.how,
    format: random.next() < kind.protobufShare ? "protobuf" : "xml",
    track: new Track(kind.way(random), {
      speed: random.between(...kind.speed),
      swing: random.between(0.1, 0.5),
      period: random.between(120, 600),
      startAt: random.next(),
    }),
    altitude,
    error: kind.how === "m-g" ? random.between(2, 12) : undefined,
    intervalSeconds,
    staleSeconds: Math.max(60, Math.ceil(intervalSeconds * 4)),
    phaseSeconds: random.between(0, intervalSeconds),
  };
}

const teams = ["Cyan", "Blue", "Green", "Yellow", "Dark Blue", "Magenta", "Teal"] as const;
const roles = ["Team Member", "Team Member", "Team Member", "Team Lead", "Medic", "RTO", "Sniper"] as const;
const devices = ["SM-G991U", "SM-S911B", "Pixel 8", "iPhone15,2", "TOUGHBOOK"] as const;
const words = [
  "ANVIL",
  "BADGER",
  "CEDAR",
  "DRIFT",
  "EMBER",
  "FALCON",
  "GRANITE",
  "HERON",
  "IBEX",
  "JUNIPER",
] as const;
const ships = ["ALKYON", "BALTIC ROSE", "CORVUS", "DELTA STAR", "ESTERO", "FJORD MAID", "GANNET"] as const;
const cargoes = ["Cargo", "Tanker", "Passenger", "Fishing", "Tug", "Pleasure craft"] as const;

function client(random: Random, index: number): ReturnType<Kind["name"]> {
  const callsign = `${random.pick(words)} ${index + 1}`;
  return {
    uid: `ANDROID-${random.hex(16)}`,
    callsign,
    detail: {
      kind: "client",
      team: random.pick(teams),
      role: random.pick(roles),
      device: random.pick(devices),
      battery: random.integer(15, 100),
    },
  };
}

function sighting(letter: string, remarks: string): Kind["name"] {
  return (random, index) => ({
    uid: random.uuid(),
    callsign: `${letter}.${random.integer(1, 28)}.${String(index + 1).padStart(3, "0")}`,
    detail: { kind: "sighting", reporter: `${random.pick(words)} ${random.integer(1, 40)}`, remarks },
  });
}

function aircraft(random: Random): ReturnType<Kind["name"]> {
  const icao = `F${random.hex(5).toUpperCase()}`;
  const number = `ZX${random.integer(100, 9_999)}`;
  return {
    uid: `ICAO-${icao}`,
    callsign: number,
    detail: { kind: "aircraft", flight: number, registration: `ZX-${random.hex(3).toUpperCase()}`, icao },
  };
}

function ship(random: Random, index: number): ReturnType<Kind["name"]> {
  const mmsi = 999_000_000 + random.integer(0, 999_999);
  return {
    uid: `MMSI-${mmsi}`,
    callsign: `${random.pick(ships)} ${index + 1}`,
    detail: { kind: "ship", mmsi, cargo: random.pick(cargoes) },
  };
}

const patrol = (random: Random) => circle(inTown(random, 1_500), random.between(150, 700));
const drive = (random: Random) => roadTrip(random, random.integer(3, 7));
const orbit = (random: Random) =>
  racetrack(inTown(random, 6_000), random.between(0, 360), random.between(3_000, 9_000), 2_500);
const cruise = (random: Random) => circle(atSea(random), random.between(2_000, 6_000));
const still = (random: Random) => {
  const place = inTown(random, 2_500);
  return [place, place];
};

const kinds: readonly Kind[] = [
  {
    count: 48,
    types: ["a-f-G-U-C", "a-f-G-U-C", "a-f-G-U-C-I"],
    how: "m-g",
    protobufShare: 0.6,
    speed: [0.8, 1.8],
    intervalSeconds: [25, 45],
    altitude: [42, 60],
    way: patrol,
    name: client,
  },
  {
    count: 40,
    types: ["a-f-G-E-V", "a-f-G-E-V-C", "a-f-G-E-V-A"],
    how: "m-g",
    protobufShare: 0.6,
    speed: [8, 22],
    intervalSeconds: [12, 20],
    altitude: [42, 55],
    way: drive,
    name: client,
  },
  {
    count: 6,
    types: ["a-f-G-U-H", "a-f-G-I"],
    how: "h-e",
    protobufShare: 0.5,
    speed: [0, 0],
    intervalSeconds: [55, 65],
    altitude: [42, 50],
    way: still,
    name: client,
  },
  {
    count: 28,
    types: ["a-h-G", "a-h-G-U-C", "a-h-G-U-C-I", "a-s-G"],
    how: "h-g-i-g-o",
    protobufShare: 0.4,
    speed: [0.5, 1.6],
    intervalSeconds: [30, 60],
    way: patrol,
    name: sighting("R", "Group on foot"),
  },
  {
    count: 12,
    types: ["a-h-G-E-V", "a-h-G-E-V-A-T"],
    how: "m-r",
    protobufShare: 0.4,
    speed: [6, 18],
    intervalSeconds: [20, 40],
    way: drive,
    name: sighting("V", "Vehicle, seen by radar"),
  },
  {
    count: 16,
    types: ["a-u-G", "a-p-G"],
    how: "h-g-i-g-o",
    protobufShare: 0.4,
    speed: [0.5, 12],
    intervalSeconds: [40, 70],
    way: drive,
    name: sighting("U", "Not identified"),
  },
  {
    count: 30,
    types: ["a-n-G-E-V-C", "a-n-G-E-V"],
    how: "m-g",
    protobufShare: 0.2,
    speed: [8, 28],
    intervalSeconds: [35, 60],
    way: drive,
    name: sighting("C", "Civilian traffic"),
  },
  {
    count: 6,
    types: ["a-f-A-M-F-Q"],
    how: "m-g",
    protobufShare: 0.8,
    speed: [22, 38],
    intervalSeconds: [8, 12],
    altitude: [500, 1_500],
    way: orbit,
    name: client,
  },
  {
    count: 6,
    types: ["a-f-A-M-H"],
    how: "m-g",
    protobufShare: 0.8,
    speed: [45, 70],
    intervalSeconds: [8, 14],
    altitude: [150, 600],
    way: drive,
    name: client,
  },
  {
    count: 24,
    types: ["a-n-A-C-F", "a-n-A-C-F", "a-n-A-C-H"],
    how: "m-g",
    protobufShare: 0,
    speed: [90, 230],
    intervalSeconds: [18, 26],
    altitude: [900, 11_500],
    way: flight,
    name: aircraft,
  },
  {
    count: 5,
    types: ["a-h-A-M-F-Q", "a-s-A"],
    how: "m-r",
    protobufShare: 0.5,
    speed: [18, 35],
    intervalSeconds: [10, 16],
    altitude: [200, 900],
    way: orbit,
    name: sighting("D", "Drone, seen by radar"),
  },
  {
    count: 3,
    types: ["a-u-A"],
    how: "m-r",
    protobufShare: 0.5,
    speed: [40, 120],
    intervalSeconds: [15, 25],
    altitude: [300, 4_000],
    way: flight,
    name: sighting("A", "Air track without identification"),
  },
  {
    count: 36,
    types: ["a-n-S-X-M", "a-n-S-X-M", "a-n-S-X-F", "a-n-S"],
    how: "m-g",
    protobufShare: 0,
    speed: [3, 9],
    intervalSeconds: [45, 75],
    way: seaTrip,
    name: ship,
  },
  {
    count: 8,
    types: ["a-f-S", "a-f-S-C-P"],
    how: "m-g",
    protobufShare: 0.7,
    speed: [6, 14],
    intervalSeconds: [20, 30],
    altitude: [40, 46],
    way: cruise,
    name: client,
  },
  {
    count: 4,
    types: ["a-h-S", "a-s-S"],
    how: "m-r",
    protobufShare: 0.5,
    speed: [8, 16],
    intervalSeconds: [25, 40],
    way: cruise,
    name: sighting("S", "Fast boat"),
  },
  {
    count: 4,
    types: ["a-u-S", "a-u-U"],
    how: "m-r",
    protobufShare: 0.5,
    speed: [2, 8],
    intervalSeconds: [45, 70],
    way: cruise,
    name: sighting("W", "Contact at sea"),
  },
  {
    count: 12,
    types: ["b-m-p-s-p-loc"],
    how: "m-g",
    protobufShare: 0.3,
    speed: [0, 0],
    intervalSeconds: [60, 90],
    altitude: [45, 90],
    way: still,
    name: (random, index) => ({
      uid: `SENSOR-${random.hex(8)}`,
      callsign: `CAM ${index + 1}`,
      detail: {
        kind: "sensor",
        model: random.pick(["Fixed camera", "Ground radar"]),
        range: random.integer(300, 3_000),
        fov: random.integer(30, 120),
      },
    }),
  },
  {
    count: 30,
    types: ["b-m-p-s-m", "b-m-p-w", "a-n-G-I", "a-u-G"],
    how: "h-g-i-g-o",
    protobufShare: 0.4,
    speed: [0, 0],
    intervalSeconds: [280, 320],
    way: (random) => {
      const place = nearby(random, inTown(random, 2_000), 3_000);
      return [place, place];
    },
    name: (random, index) => ({
      uid: random.uuid(),
      callsign: `${random.pick(["CP", "OBJ", "LZ", "RP"])} ${index + 1}`,
      detail: {
        kind: "marker",
        color: random.pick([-65_536, -256, -16_711_936, -1]),
        remarks: random.pick(["Bridge passable", "Meet here", "Road closed", "Water & power"]),
      },
    }),
  },
];
