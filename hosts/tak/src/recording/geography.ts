/** The stage of the recording: towns and roads around The Hague, lanes at sea before it, airways above. */

import { type Place, thereAndBack } from "./movement.ts";
import type { Random } from "./random.ts";

const towns = {
  delft: [52.0116, 4.3571],
  gouda: [52.0115, 4.7105],
  hague: [52.0705, 4.3007],
  hook: [51.9775, 4.1332],
  kijkduin: [52.0692, 4.2225],
  leiden: [52.1601, 4.497],
  maassluis: [51.9233, 4.25],
  naaldwijk: [51.9945, 4.2098],
  noordwijk: [52.2356, 4.4483],
  rotterdam: [51.9244, 4.4777],
  scheveningen: [52.1073, 4.2725],
  schiedam: [51.9192, 4.3886],
  voorburg: [52.0684, 4.3597],
  wassenaar: [52.1459, 4.4027],
  zoetermeer: [52.0575, 4.4931],
} as const satisfies Record<string, Place>;

type Town = keyof typeof towns;

const roads: readonly (readonly [Town, Town])[] = [
  ["delft", "hague"],
  ["delft", "naaldwijk"],
  ["delft", "schiedam"],
  ["delft", "zoetermeer"],
  ["gouda", "rotterdam"],
  ["gouda", "zoetermeer"],
  ["hague", "kijkduin"],
  ["hague", "naaldwijk"],
  ["hague", "scheveningen"],
  ["hague", "voorburg"],
  ["hook", "maassluis"],
  ["hook", "naaldwijk"],
  ["kijkduin", "scheveningen"],
  ["leiden", "noordwijk"],
  ["leiden", "voorburg"],
  ["leiden", "wassenaar"],
  ["leiden", "zoetermeer"],
  ["maassluis", "schiedam"],
  ["rotterdam", "schiedam"],
  ["scheveningen", "wassenaar"],
  ["voorburg", "zoetermeer"],
];

/** Middle of each way through the sea, from the south to the north or from the sea to the harbour. */
const lanes: readonly (readonly Place[])[] = [
  [
    [51.62, 3.35],
    [51.9, 3.62],
    [52.2, 3.85],
    [52.52, 4.02],
  ],
  [
    [52.02, 3.55],
    [52.01, 3.85],
    [51.99, 4.03],
    [51.975, 4.12],
    [51.935, 4.2],
    [51.905, 4.32],
  ],
  [
    [52.34, 3.7],
    [52.16, 3.98],
    [52.05, 4.02],
    [51.99, 4.05],
  ],
];

const airways: readonly (readonly [Place, Place])[] = [
  [
    [51.55, 3.4],
    [52.3, 4.76],
  ],
  [
    [52.62, 3.65],
    [51.957, 4.437],
  ],
  [
    [52.45, 4.95],
    [51.7, 3.9],
  ],
  [
    [51.5, 4.9],
    [52.5, 4.1],
  ],
];

/** A walk over the roads, and back the same way. */
export function roadTrip(random: Random, townsCount: number): Place[] {
  const names = Object.keys(towns) as [Town, ...Town[]]; // the object's own keys
  let here = random.pick(names);
  let before: Town | undefined;
  const way: Place[] = [towns[here]];
  while (way.length < townsCount) {
    const next = roads.flatMap(([a, b]) => (a === here ? [b] : b === here ? [a] : []));
    const onward = next.filter((town) => town !== before);
    const [first = here, ...others] = onward.length > 0 ? onward : next;
    before = here;
    here = random.pick([first, ...others]);
    way.push(nearby(random, towns[here], 300));
  }
  return thereAndBack(way);
}

export function seaTrip(random: Random): Place[] {
  const [first = [], ...others] = lanes;
  return thereAndBack(random.pick([first, ...others]).map((place) => nearby(random, place, 900)));
}

export function flight(random: Random): Place[] {
  const [first, ...others] = airways;
  const way = first === undefined ? [] : random.pick([first, ...others]);
  return way.map((place) => nearby(random, place, 4_000));
}

/** Somewhere in or around one of the towns. */
export function inTown(random: Random, metres: number): Place {
  const names = Object.keys(towns) as [Town, ...Town[]]; // the object's own keys
  return nearby(random, towns[random.pick(names)], metres);
}

export function atSea(random: Random): Place {
  return [random.between(51.95, 52.35), random.between(3.55, 3.98)];
}

/** A place up to so many metres away; at this size the earth is flat. */
export function nearby(random: Random, [lat, lon]: Place, metres: number): Place {
  const perDegree = 111_195;
  return [
    lat + random.between(-metres, metres) / perDegree,
    lon + random.between(-metres, metres) / (perDegree * Math.cos((lat * Math.PI) / 180)),
  ];
}
