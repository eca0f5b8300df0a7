/**
 * Numbers with few decimals as text, without asking the platform: what instruments say, 3.15 or 53.012345. A number that is
 * an integer below 10^15 divided by a power of ten has that decimal as its shortest text, since no two decimals of up to
 * 15 digits are the same double; so it is the text of ECMA-262, "Number::toString", from 10^-6 up.
 */

const decimalsMax = 9;
const scaledMax = 1e15;
const integerMax = 2 ** 31;
const smallest = 1e-6;
const powers = Array.from({ length: decimalsMax + 1 }, (_, decimals) => 10 ** decimals);

const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;

export class DecimalText {
  /**
   * Decimals with which the number that was read last is an integer: a good guess for the next. An instrument that says 53.012345
   * and then 53.01235 has not become less exact, so zeros at its end count.
   */
  tried = 0;
  /** Units of its text. */
  length = 0;
  #isNegative = false;
  #whole = 0;
  #wholeDigits = 0;
  #part = 0;
  #partDigits = 0;

  /**
   * @param guess Decimals that it may have: those of the number that was here before.
   * @returns     false for a number that is none of these; the platform can write it
   */
  read(value: number, guess: number): boolean {
    const size = Math.abs(value);
    if (!(size >= smallest && size < integerMax) && size !== 0) return false;
    let decimals = guess;
    let scaled = scaledBy(size, decimals);
    for (let tried = 0; scaled < 0; tried++) {
      if (tried > decimalsMax) return false;
      decimals = tried;
      scaled = scaledBy(size, decimals);
    }
    this.tried = decimals;
    // Integers of 32 bits, whose divisions are cheap. The whole part is the decimal's: no other integer is this double.
    const whole = size | 0;
    let part = (scaled - whole * (powers[decimals] ?? 1)) | 0;
    for (let tenth = (part / 10) | 0; decimals > 0 && tenth * 10 === part; decimals--) {
      part = tenth;
      tenth = (part / 10) | 0;
    }
    const wholeDigits = digitsOf(whole);
    this.#isNegative = value < 0;
    this.#whole = whole;
    this.#wholeDigits = wholeDigits;
    this.#part = part;
    this.#partDigits = decimals;
    this.length = (value < 0 ? 1 : 0) + wholeDigits + (decimals > 0 ? 1 + decimals : 0);
    return true;
  }

  /** Writes what was read last, as UTF-16 and as bytes. */
  write(units: Uint16Array, bytes: Uint8Array, from: number): void {
    let at = from + this.length;
    if (this.#partDigits > 0) {
      at = writeDigits(units, bytes, at, this.#part, this.#partDigits);
      units[--at] = point;
      bytes[at] = point;
    }
    writeDigits(units, bytes, at, this.#whole, this.#wholeDigits);
    if (!this.#isNegative) return;
    units[from] = minus;
    bytes[from] = minus;
  }
}

/** The last so many digits, which end in front of `end`. @returns where they begin */
function writeDigits(
  units: Uint16Array,
  bytes: Uint8Array,
  end: number,
  integer: number,
  digits: number,
): number {
  let left = integer;
  let at = end;
  for (const from = end - digits; at > from; ) {
    const tenth = (left / 10) | 0;
    const digit = zero + left - 10 * tenth;
    units[--at] = digit;
    bytes[at] = digit;
    left = tenth;
  }
  return at;
}

function digitsOf(integer: number): number {
  let digits = 1;
  for (let power = 10; power <= integer; power *= 10) digits++;
  return digits;
}

/** The number times a power of ten, when that is an integer of which it is the quotient; else -1. */
function scaledBy(size: number, decimals: number): number {
  const power = powers[decimals] ?? 1;
  const scaled = Math.round(size * power);
  // Both are integers that a double has exactly, so that the quotient is the double nearest to the decimal.
  return scaled < scaledMax && scaled / power === size ? scaled : -1;
}
