/** Decimal numbers, read from ASCII bytes without making a string, and written without an exponent. */

// Every power of ten up to 10^22 is a double exactly, so that one division of an exact integer rounds once.
const POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;

/**
 * The number in a range of bytes; NaN where there is none. Reads what `xs:double` allows but for INF and NaN, and
 * rounds as `Number` does.
 */
export function parseDecimal(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  let isNegative = false;
  if (at < end) {
    const sign = bytes[at];
    if (sign === MINUS || sign === PLUS) {
      isNegative = sign === MINUS;
      at++;
    }
  }
  let mantissa = 0;
  let digits = 0;
  let fractionDigits = 0;
  let isFraction = false;
  for (; at < end; at++) {
    const byte = bytes[at] ?? 0;
    const digit = byte - 0x30;
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit;
      digits++;
      if (isFraction) fractionDigits++;
    } else if (byte === DOT && !isFraction) {
      isFraction = true;
    } else {
      return parseSlowly(bytes, start, end);
    }
  }
  if (digits === 0) return Number.NaN;
  // 15 digits fit in 53 bits, whatever they are.
  if (digits > 15) return parseSlowly(bytes, start, end);
  const value = fractionDigits === 0 ? mantissa : mantissa / (POWERS[fractionDigits] ?? Number.NaN);
  return isNegative ? -value : value;
}

const DECIMAL = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,4})?$/;
// More digits than a double can use are an attempt to make us work.
const LENGTH_MAX = 400;

function parseSlowly(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > LENGTH_MAX) return Number.NaN;
  let text = "";
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] ?? 0);
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : Number.NaN;
}

/** The shortest decimal text that reads back as the same number, without an exponent (`xs:decimal`). */
export function formatDecimal(value: number): string {
  const text = String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (match === null) return text;
  const [, sign = "", whole = "", fraction = "", exponentText = "0"] = match;
  const exponent = Number(exponentText);
  const digits = whole + fraction;
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  return sign + digits.padEnd(exponent + 1, "0");
}
