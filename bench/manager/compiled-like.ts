/**
 * Functions as a compiler makes them. The figures are those of a Rust program of 2.4 MB that npm has compiled, the core of
 * `wasm-tools` (6,631 functions): how long its functions are, and how often each operator is among a thousand.
 */

/** Bytes of a function that the shortest so many of a hundred have at most; in between they grow by the same factor. */
const lengths: readonly (readonly [percent: number, bytes: number])[] = [
  [0, 10],
  [10, 13],
  [25, 17],
  [50, 47],
  [75, 159],
  [90, 456],
  [99, 3_939],
  [100, 14_000],
];

/** Of all of a module; the rest is data. */
const codeShare = 0.845;
/** Those that `text` is made of have, locals included, on the average. */
const overheadBytes = 8;
const bytesPerLocal = 125;

interface Statement {
  /** Bytes that it is compiled to. */
  readonly bytes: number;
  /** How often it comes among all. */
  readonly weight: number;
  readonly text: (writer: Writer) => string;
}

/** What a function is written with. */
interface Writer {
  /** Whole numbers from 0 to below `max`: the same in every run. */
  readonly random: (max: number) => number;
  readonly locals: number;
  /** One of the functions before this one. */
  readonly callee: () => number;
}

const local = ({ random, locals }: Writer) => `(local.get ${random(locals)})`;
const set = ({ random, locals }: Writer) => `local.set ${random(locals)}`;
const offset = ({ random }: Writer) => `offset=${4 * random(64)}`;
const value = (to: Writer) =>
  [local(to), `(i32.load ${offset(to)} ${local(to)})`, `(i32.const ${to.random(8_192)})`][to.random(3)];

const simple: readonly Statement[] = [
  { bytes: 9, weight: 34, text: (to) => `(i32.store ${offset(to)} ${local(to)} ${value(to)})` },
  {
    bytes: 11,
    weight: 22,
    text: (to) => `(i64.store ${offset(to)} ${local(to)} (i64.load ${offset(to)} ${local(to)}))`,
  },
  {
    bytes: 11,
    weight: 40,
    text: (to) =>
      `(${set(to)} (i32.add (local.tee ${to.random(to.locals)} ${value(to)}) (i32.const ${to.random(64)})))`,
  },
  {
    bytes: 14,
    weight: 50,
    text: (to) => `(${set(to)} (call ${to.callee()} (i32.load ${offset(to)} ${local(to)}) ${value(to)}))`,
  },
];

const statements: readonly Statement[] = [
  ...simple,
  {
    // Three ways, one of which is left early: as a `match` is compiled.
    bytes: 90,
    weight: 18,
    text: (to) => `(block (block (block
      (br_if 0 (i32.eq ${value(to)} (i32.const ${to.random(64)})))
      (br_if 1 (i32.eqz ${value(to)}))
      ${any(simple, to)}
      (br 2))
      ${any(simple, to)}
      (if (i32.eqz ${local(to)}) (then ${any(simple, to)} (br 2)))
      (br 1))
      ${any(simple, to)})`,
  },
  {
    bytes: 19,
    weight: 8,
    text: (to) => `(if (i32.ge_u ${local(to)} ${value(to)}) (then ${any(simple, to)}))`,
  },
  {
    bytes: 34,
    weight: 9,
    text: (to) => `(loop ${any(simple, to)} ${any(simple, to)}
      (br_if 0 (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) ${local(to)})))`,
  },
  {
    bytes: 16,
    weight: 4,
    text: (to) =>
      `(${set(to)} (call_indirect (type 0) ${local(to)} ${value(to)} (i32.and ${local(to)} (i32.const 63))))`,
  },
];

/** The fields of a module of about so many bytes: functions from the index `first` on, of the type 0, `[i32 i32] -> [i32]`. */
export function compiledLike(bytes: number, first: number): string {
  const random = randomOf(1);
  const functions: string[] = [];
  for (let left = bytes * codeShare; left > 0; ) {
    // Multiples of the golden ratio lie evenly between 0 and 1 however many there are: any functions in a row have their
    // share of the long ones, where drawn lots would give some modules more of them than others.
    const length = lengthAt(((functions.length * 0.618_034) % 1) * 100);
    functions.push(functionOf(length, random, () => first + random(Math.max(1, functions.length))));
    left -= length;
  }
  const elements = Array.from({ length: Math.min(64, functions.length) }, (_, at) => first + at);
  const data = Array.from({ length: Math.floor(bytes * (1 - codeShare)) }, () => digits[random(16)]);
  return `(memory (export "memory") ${1 + Math.ceil(data.length / 65_536)}) (table 64 funcref) (elem (i32.const 0) func ${elements.join(" ")})
    (data (i32.const 65536) "${data.join("")}")
    ${functions.join("\n")}`;
}

const digits = "0123456789abcdef";

function functionOf(length: number, random: Writer["random"], callee: () => number): string {
  const own = Math.round(length / bytesPerLocal);
  const writer = { random, locals: 2 + own, callee };
  const body: string[] = [];
  for (let left = length - overheadBytes; left > 0; ) {
    const statement = pick(left < 30 ? simple : statements, random);
    body.push(statement.text(writer));
    left -= statement.bytes;
  }
  return `(func (type 0) (local${" i32".repeat(own)}) ${body.join(" ")} ${local(writer)})`;
}

const any = (from: readonly Statement[], to: Writer) => pick(from, to.random).text(to);

function pick(from: readonly Statement[], random: Writer["random"]): Statement {
  let at = random(from.reduce((sum, { weight }) => sum + weight, 0));
  for (const statement of from) {
    at -= statement.weight;
    if (at < 0) return statement;
  }
  throw new Error("The weights have no sum");
}

function lengthAt(percent: number): number {
  const above = lengths.findIndex(([upTo]) => upTo > percent);
  const [from, shorter] = lengths[above - 1] as readonly [number, number]; // `percent` is below 100 and not below 0
  const [to, longer] = lengths[above] as readonly [number, number];
  return shorter * (longer / shorter) ** ((percent - from) / (to - from));
}

/** Xorshift of 32 bits. */
function randomOf(seed: number): Writer["random"] {
  let state = seed;
  return (max) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % max;
  };
}
