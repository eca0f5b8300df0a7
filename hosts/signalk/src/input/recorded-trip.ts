/**
 * A trip of our own making, as its instruments told it: ten minutes under sail off a shallow coast, with a bank on the
 * way that an echo sounder sees coming. Computed, so that it is the same each time and weighs nothing.
 */

const seconds = 600;
const knotsPerMetre = 1.943_844;

/** The sentences of each second. */
export function* recordedTrip(): Generator<readonly string[]> {
  let latitude = 53.0;
  let longitude = 4.7;
  for (let second = 0; second < seconds; second++) {
    const heading = 62 + 6 * Math.sin(second / 40);
    const speed = 3.1 + 0.4 * Math.sin(second / 17);
    // Metres on the way, in degrees: a minute of latitude is a nautical mile.
    latitude += (speed * Math.cos(radians(heading))) / 111_120;
    longitude += (speed * Math.sin(radians(heading))) / (111_120 * Math.cos(radians(latitude)));
    yield sentences({ second, latitude, longitude, heading, speed });
  }
}

interface Moment {
  readonly second: number;
  /** Degrees. */
  readonly latitude: number;
  readonly longitude: number;
  readonly heading: number;
  /** Metres a second. */
  readonly speed: number;
}

function sentences({ second, latitude, longitude, heading, speed }: Moment): string[] {
  const time = `12${two(Math.floor(second / 60))}${two(second % 60)}`;
  const knots = (speed * knotsPerMetre).toFixed(1);
  const course = heading.toFixed(1);
  // The bank: from nine metres to two and back, half way.
  const depth = 9 - 7 * Math.exp(-(((second - 300) / 60) ** 2));
  const windAngle = 48 + 5 * Math.sin(second / 23);
  const windSpeed = 9.5 + 1.5 * Math.sin(second / 31);
  return [
    `GPRMC,${time}.00,A,${degrees(latitude, 2)},N,${degrees(longitude, 3)},E,${knots},${course},010126,,,A`,
    `SDDPT,${depth.toFixed(1)},0.5`,
    `WIMWV,${windAngle.toFixed(0)},R,${windSpeed.toFixed(1)},M,A`,
    `VWVHW,${course},T,,M,${knots},N,,K`,
    `HEHDT,${course},T`,
  ].map((body) => `$${body}*${checksum(body)}`);
}

/** NMEA 0183: the exclusive or of all characters between `$` and `*`. */
function checksum(body: string): string {
  let sum = 0;
  for (const character of body) sum ^= character.charCodeAt(0);
  return sum.toString(16).toUpperCase().padStart(2, "0");
}

/** `ddmm.mmmm`: degrees and minutes. */
function degrees(value: number, digits: number): string {
  const whole = Math.floor(value);
  return `${String(whole).padStart(digits, "0")}${((value - whole) * 60).toFixed(4).padStart(7, "0")}`;
}

function radians(value: number): number {
  return (value * Math.PI) / 180;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
