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
  /** The text of the last number is its end, from `from` on. */
  readonly units = new Uint16Array(32);
  from = 0;
  /** Of the last number. */
  decimals = 0;

  /**
   * @param guess Decimals that it may have: those of the number that was here before.
   * @returns     false for a number that is none of these; the platform can write it
   */
  write(value: number, guess: number): boolean {
    const size = Math.abs(value);
    if (!(size >= smallest && size < integerMax) && size !== 0) return false;
    let decimals = guess;
    let scaled = scaledBy(size, decimals);
    for (let tried = 0; scaled < 0; tried++) {
      if (tried > decimalsMax) return false;
      decimals = tried;
      scaled = scaledBy(size, decimals);
    }
    for (let tenth = Math.floor(scaled / 10); decimals > 0 && tenth * 10 === scaled; decimals--) {
      scaled = tenth;
      tenth = Math.floor(scaled / 10);
    }
    this.decimals = decimals;
    this.#write(scaled, value < 0);
    return true;
  }

  #write(scaled: number, isNegative: boolean): void {
    const { units, decimals } = this;
    const power = powers[decimals] ?? 1;
    // Integers of 32 bits, whose divisions are cheap.
    let whole = Math.floor(scaled / power) | 0;
    let part = (scaled - whole * power) | 0;
    let at = units.length;
    if (decimals > 0) {
      for (const end = at - decimals; at > end; ) {
        const tenth = (part / 10) | 0;
        units[--at] = zero + part - 10 * tenth;
        part = tenth;
      }
      units[--at] = point;
    }
    do {
      const tenth = (whole / 10) | 0;
      units[--at] = zero + whole - 10 * tenth;
      whole = tenth;
    } while (whole > 0);
    if (isNegative) units[--at] = minus;
    this.from = at;
  }
}

/** The number times a power of ten, when that is an integer of which it is the quotient; else -1. */
function scaledBy(size: number, decimals: number): number {
  const power = powers[decimals] ?? 1;
  const scaled = Math.round(size * power);
  // Both are integers that a double has exactly, so that the quotient is the double nearest to the decimal.
  return scaled < scaledMax && scaled / power === size ? scaled : -1;
}
