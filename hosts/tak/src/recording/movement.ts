/**
 * Where something is at a given time: it goes along a closed way of great-circle legs, with a speed that swings
 * around its mean. A position is a function of time alone, so that nothing has to be simulated step by step.
 */

/** Latitude and longitude in degrees. */
export type Place = readonly [lat: number, lon: number];

export interface Motion {
  readonly place: Place;
  /** Degrees from north, clockwise. */
  readonly course: number;
  /** Metres a second. */
  readonly speed: number;
}

const earthRadius = 6_371_009;

/** A closed way and how it is travelled. */
export class Track {
  readonly #places: readonly Place[];
  /** Metres from the start to each place, the last one being the start again. */
  readonly #distances: readonly number[];
  readonly #speed: number;
  readonly #swing: number;
  readonly #swingPeriod: number;
  readonly #startAt: number;

  /**
   * @param places  At least two; from the last it goes back to the first.
   * @param speed   Mean, in metres a second.
   * @param swing   0 to 0.9: the share of the speed that comes and goes.
   * @param startAt Share of the way that lies behind it at time 0.
   */
  constructor(
    places: readonly Place[],
    options: {
      readonly speed: number;
      readonly swing: number;
      readonly period: number;
      readonly startAt: number;
    },
  ) {
    this.#places = [...places, ...places.slice(0, 1)];
    const distances = [0];
    for (let index = 1; index < this.#places.length; index++) {
      distances.push((distances[index - 1] ?? 0) + distance(this.#place(index - 1), this.#place(index)));
    }
    this.#distances = distances;
    this.#speed = options.speed;
    this.#swing = options.swing;
    this.#swingPeriod = options.period;
    this.#startAt = options.startAt;
  }

  at(seconds: number): Motion {
    const around = (2 * Math.PI) / this.#swingPeriod;
    const way =
      this.#speed * (seconds + (this.#swing / around) * Math.sin(around * seconds)) +
      this.#startAt * this.#length;
    const left = this.#length === 0 ? 0 : way % this.#length;
    const leg = this.#legAt(left);
    const from = this.#place(leg);
    const to = this.#place(leg + 1);
    const legLength = (this.#distances[leg + 1] ?? 0) - (this.#distances[leg] ?? 0);
    const share = legLength === 0 ? 0 : (left - (this.#distances[leg] ?? 0)) / legLength;
    const place = between(from, to, share);
    return {
      place,
      course: bearing(place, to),
      speed: this.#speed * (1 + this.#swing * Math.cos(around * seconds)),
    };
  }

  get #length(): number {
    return this.#distances.at(-1) ?? 0;
  }

  #legAt(way: number): number {
    const next = this.#distances.findIndex((distance) => distance > way);
    return next < 0 ? this.#places.length - 2 : next - 1;
  }

  #place(index: number): Place {
    return this.#places[index] ?? [0, 0];
  }
}

/** A circle of twelve corners. */
export function circle(centre: Place, radiusMetres: number): Place[] {
  return Array.from({ length: 12 }, (_, index) => offset(centre, index * 30, radiusMetres));
}

/** Two straight legs with half circles at their ends, as an aircraft waits. */
export function racetrack(centre: Place, course: number, lengthMetres: number, widthMetres: number): Place[] {
  const turn = (end: Place, from: number) =>
    [0, 45, 90, 135, 180].map((angle) => offset(end, from + angle, widthMetres / 2));
  const [front, back] = [
    offset(centre, course, lengthMetres / 2),
    offset(centre, course + 180, lengthMetres / 2),
  ];
  return [...turn(front, course - 90), ...turn(back, course + 90)];
}

/** The way there, and the same way back. */
export function thereAndBack(places: readonly Place[]): Place[] {
  return [...places, ...places.slice(1, -1).toReversed()];
}

/** The place in a direction and at a distance. */
export function offset([lat, lon]: Place, course: number, metres: number): Place {
  const angle = metres / earthRadius;
  const [lat1, direction] = [radians(lat), radians(course)];
  const lat2 = Math.asin(
    Math.sin(lat1) * Math.cos(angle) + Math.cos(lat1) * Math.sin(angle) * Math.cos(direction),
  );
  const lon2 = Math.atan2(
    Math.sin(direction) * Math.sin(angle) * Math.cos(lat1),
    Math.cos(angle) - Math.sin(lat1) * Math.sin(lat2),
  );
  return [degrees(lat2), lon + degrees(lon2)];
}

/** Metres along the great circle. */
export function distance([lat1, lon1]: Place, [lat2, lon2]: Place): number {
  const half = (a: number, b: number) => Math.sin(radians(b - a) / 2) ** 2;
  const chord = half(lat1, lat2) + Math.cos(radians(lat1)) * Math.cos(radians(lat2)) * half(lon1, lon2);
  return 2 * earthRadius * Math.asin(Math.sqrt(chord));
}

/** Degrees from north, clockwise, in which the great circle begins. */
export function bearing([lat1, lon1]: Place, [lat2, lon2]: Place): number {
  const dLon = radians(lon2 - lon1);
  const [a, b] = [radians(lat1), radians(lat2)];
  const east = Math.sin(dLon) * Math.cos(b);
  const north = Math.cos(a) * Math.sin(b) - Math.sin(a) * Math.cos(b) * Math.cos(dLon);
  return (degrees(Math.atan2(east, north)) + 360) % 360;
}

function between(from: Place, to: Place, share: number): Place {
  return share === 0 ? from : offset(from, bearing(from, to), distance(from, to) * share);
}

function radians(angle: number): number {
  return (angle * Math.PI) / 180;
}

function degrees(angle: number): number {
  return (angle * 180) / Math.PI;
}
