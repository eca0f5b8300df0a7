/**
 * Test scripts of our own with every class of instruction: what the public suite covers in breadth, small enough
 * to run with every `npm test` and to have its fuel recorded. Each script is one module and invocations of it.
 */

/** Scripts by the class they are about. */
export const classes: Readonly<Record<string, string>> = {
  i32: numeric("i32", integerOperators, ["0", "1", "-1", "7", "0x80000000", "0x7fffffff"]),
  i64: numeric("i64", integerOperators, ["0", "1", "-1", "7", "0x8000000000000000", "0x7fffffffffffffff"]),
  f32: numeric("f32", floatOperators, ["0", "-0", "1.5", "-2.5", "nan:0x200001", "inf", "0x1p-149"]),
  f64: numeric("f64", floatOperators, ["0", "-0", "1.5", "-2.5", "nan:0x4000000000001", "-inf", "0x1p-1074"]),
  conversions: conversions(),
  "loads and stores": memoryAccess(),
  "bulk memory": bulkMemory(),
  tables: tables(),
  control: control(),
  calls: calls(),
  exceptions: exceptions(),
  "old exceptions": oldExceptions(),
  references: references(),
  "structs and arrays": gc(),
  "vectors of integers": vectors(vectorIntegerOperators),
  "vectors of floats": vectors(vectorFloatOperators),
  "vector memory": vectorMemory(),
  atomics: atomics(),
  "memories of 64 bits": memory64(),
};

interface Operators {
  readonly unary: readonly string[];
  readonly binary: readonly string[];
  readonly test: readonly string[];
  readonly compare: readonly string[];
}

function words(text: string): string[] {
  return text.split(/\s+/).filter(Boolean);
}

// Function declarations are hoisted above the table; constants are not, so these are functions too.
function integerOperators(type: string): Operators {
  return {
    unary: words(`clz ctz popcnt extend8_s extend16_s ${type === "i64" ? "extend32_s" : ""}`),
    binary: words("add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr"),
    test: ["eqz"],
    compare: words("eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u"),
  };
}

function floatOperators(): Operators {
  return {
    unary: words("abs neg ceil floor trunc nearest sqrt"),
    binary: words("add sub mul div min max copysign"),
    test: [],
    compare: words("eq ne lt gt le ge"),
  };
}

function numeric(type: string, operators: (type: string) => Operators, values: readonly string[]): string {
  const { unary, binary, test, compare } = operators(type);
  const one = [...unary.map((name) => [name, type]), ...test.map((name) => [name, "i32"])];
  const two = [...binary.map((name) => [name, type]), ...compare.map((name) => [name, "i32"])];
  const functions = [
    ...one.map(
      ([name, to]) =>
        `(func (export "${name}") (param ${type}) (result ${to}) (${type}.${name} (local.get 0)))`,
    ),
    ...two.map(
      ([name, to]) =>
        `(func (export "${name}") (param ${type} ${type}) (result ${to}) (${type}.${name} (local.get 0) (local.get 1)))`,
    ),
  ];
  const constant = (value: string) => `(${type}.const ${value})`;
  const calls = [
    ...one.flatMap(([name]) => values.map((value) => invoke(name, constant(value)))),
    ...two.flatMap(([name]) =>
      values.map((value, index) =>
        invoke(name, constant(value), constant(values[(index + 2) % values.length] ?? "0")),
      ),
    ),
  ];
  return script(functions, calls);
}

function conversions(): string {
  const list = words(`i32.wrap_i64 i64.extend_i32_s i64.extend_i32_u
    i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u
    i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u
    i64.trunc_sat_f32_s i64.trunc_sat_f32_u i64.trunc_sat_f64_s i64.trunc_sat_f64_u
    f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s
    f64.convert_i64_u f32.demote_f64 f64.promote_f32 i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64`);
  const typed = list.map((name) => {
    const [to = "", rest = ""] = name.split(".");
    return { name, to, from: /[if](32|64)/.exec(rest)?.[0] ?? "" };
  });
  const functions = typed.map(
    ({ name, to, from }) =>
      `(func (export "${name}") (param ${from}) (result ${to}) (${name} (local.get 0)))`,
  );
  const calls = typed.flatMap(({ name, from }) =>
    (from.startsWith("i") ? ["0", "-1", "0x7fffffff"] : ["0.5", "-3.75", "3e9", "nan", "inf"]).map((value) =>
      invoke(name, `(${from}.const ${value})`),
    ),
  );
  return script(functions, calls);
}

function memoryAccess(): string {
  const loads = words(`i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u
    i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u`);
  const stores = words(
    "i32.store i64.store f32.store f64.store i32.store8 i32.store16 i64.store8 i64.store16 i64.store32",
  );
  const typeOf = (name: string) => name.slice(0, 3);
  const functions = [
    '(memory 1) (data (i32.const 0) "\\00\\7f\\80\\ff\\c0\\7f\\01\\02\\03\\f8\\7f\\00\\01")',
    ...loads.map(
      (name) =>
        `(func (export "${name}") (param i32) (result ${typeOf(name)}) (${name} offset=3 (local.get 0)))`,
    ),
    ...stores.map(
      (name) =>
        `(func (export "${name}") (param i32 ${typeOf(name)}) (result i64)
          (${name} offset=8 (local.get 0) (local.get 1)) (i64.load (i32.const 16)))`,
    ),
    '(func (export "size") (result i32) (memory.size))',
    '(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))',
  ];
  const calls = [
    ...loads.flatMap((name) =>
      ["0", "5", "65525", "65536", "-1"].map((at) => invoke(name, `(i32.const ${at})`)),
    ),
    ...stores.flatMap((name) =>
      ["8", "65520", "-8"].map((at) => invoke(name, `(i32.const ${at})`, `(${typeOf(name)}.const 123)`)),
    ),
    ...["size", "grow 2", "size", "grow 0", "grow -1", "grow 70000", "size"].map((call) => {
      const [name, by] = call.split(" ");
      return by === undefined ? invoke(name) : invoke(name, `(i32.const ${by})`);
    }),
  ];
  return script(functions, calls);
}

function bulkMemory(): string {
  const functions = [
    '(memory 4) (data $d "0123456789")',
    '(func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))',
    '(func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))',
    '(func (export "init") (param i32 i32 i32) (memory.init $d (local.get 0) (local.get 1) (local.get 2)))',
    '(func (export "drop") (data.drop $d))',
    '(func (export "fill 100") (memory.fill (i32.const 1) (i32.const 2) (i32.const 100)))',
    '(func (export "copy 5000") (memory.copy (i32.const 1) (i32.const 2) (i32.const 5000)))',
    '(func (export "fill beyond") (memory.fill (i32.const 262143) (i32.const 2) (i32.const 2)))',
    `(func (export "sum") (result i64) (local i32 i64)
      (loop $l (local.set 1 (i64.add (i64.rotl (local.get 1) (i64.const 1)) (i64.load (local.get 0))))
        (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 8))) (i32.const 262144)))) (local.get 1))`,
  ];
  const calls = [
    ["fill", 0, 1, 0],
    ["fill", 0, 7, 3000],
    ["fill", 5, 9, 70_000],
    ["fill", 262_144, 0, 0],
    ["fill", 262_145, 0, 0],
    ["fill", 262_100, 3, 60],
    ["sum"],
    ["copy", 0, 100, 5000],
    ["copy", 100, 0, 200_000],
    ["copy", 0, 100, 200_000],
    ["copy", 0, 262_140, 5],
    ["sum"],
    ["init", 10, 2, 5],
    ["init", 10, 2, 9],
    ["sum"],
    ["drop"],
    ["init", 0, 0, 1],
    ["init", 0, 0, 0],
    ["fill 100"],
    ["copy 5000"],
    ["fill beyond"],
    ["sum"],
  ].map(([name, ...args]) => invoke(String(name), ...args.map((arg) => `(i32.const ${arg})`)));
  return script(functions, calls);
}

function tables(): string {
  const functions = [
    "(type $f (func (result i32)))",
    "(func $a (result i32) (i32.const 1)) (func $b (result i32) (i32.const 2)) (func $c (param i32))",
    "(table $t 12 200 funcref) (table $u 4 externref) (elem (table $t) (i32.const 0) func $a $b $c $a) (elem $e func $b $a $b)",
    '(func (export "call") (param i32) (result i32) (call_indirect $t (type $f) (local.get 0)))',
    '(func (export "is null") (param i32) (result i32) (ref.is_null (table.get $t (local.get 0))))',
    '(func (export "set") (param i32 i32) (table.set $t (local.get 0) (table.get $t (local.get 1))))',
    '(func (export "size") (result i32) (table.size $t))',
    '(func (export "grow") (param i32) (result i32) (table.grow $t (ref.func $b) (local.get 0)))',
    '(func (export "fill") (param i32 i32) (table.fill $t (local.get 0) (ref.func $a) (local.get 1)))',
    '(func (export "copy") (param i32 i32 i32) (table.copy $t $t (local.get 0) (local.get 1) (local.get 2)))',
    '(func (export "init") (param i32 i32 i32) (table.init $t $e (local.get 0) (local.get 1) (local.get 2)))',
    '(func (export "drop") (elem.drop $e))',
    '(func (export "other") (param i32) (result i32) (table.set $u (local.get 0) (ref.null extern)) (table.size $u))',
  ];
  const calls = [
    ["call", 0],
    ["call", 1],
    ["call", 2],
    ["call", 4],
    ["call", 12],
    ["call", -1],
    ["is null", 3],
    ["is null", 4],
    ["is null", 99],
    ["set", 4, 1],
    ["call", 4],
    ["set", 12, 0],
    ["size"],
    ["grow", 5],
    ["grow", 0],
    ["grow", 500],
    ["grow", -1],
    ["size"],
    ["call", 14],
    ["fill", 5, 6],
    ["fill", 16, 2],
    ["fill", -1, 1],
    ["copy", 0, 1, 5],
    ["copy", 3, 2, 10],
    ["copy", 10, 9, 9],
    ["call", 0],
    ["call", 3],
    ["init", 6, 0, 3],
    ["init", 6, 1, 3],
    ["call", 7],
    ["drop"],
    ["init", 0, 0, 0],
    ["init", 0, 0, 1],
    ["other", 3],
    ["other", 4],
  ].map(([name, ...args]) => invoke(String(name), ...args.map((arg) => `(i32.const ${arg})`)));
  return script(functions, calls);
}

function control(): string {
  const functions = [
    "(global $g (mut i32) (i32.const 0))",
    '(func (export "if") (param i32) (result i32) (if (result i32) (local.get 0) (then (i32.const 7)) (else (i32.const 8))))',
    '(func (export "if alone") (param i32) (result i32) (if (local.get 0) (then (global.set $g (local.get 0)))) (global.get $g))',
    '(func (export "select") (param i32) (result i32) (select (i32.const 1) (i32.const 2) (local.get 0)))',
    '(func (export "typed select") (param i32) (result f64) (select (result f64) (f64.const 1) (f64.const 2) (local.get 0)))',
    `(func (export "table") (param i32) (result i32)
      (block $c (block $b (block $a (br_table $a $b $c (local.get 0))) (return (i32.const 10))) (return (i32.const 11))) (i32.const 12))`,
    `(func (export "table value") (param i32) (result i32)
      (i32.add (block $a (result i32) (block $b (result i32) (br_table $a $b (i32.const 5) (local.get 0))) (i32.const 1) (i32.add))
        (i32.const 100)))`,
    `(func (export "loop") (param i32) (result i32) (local i32)
      (loop $l (local.set 1 (i32.add (local.get 1) (local.get 0)))
        (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 1))`,
    `(func (export "nested") (param i32) (result i32) (local i32 i32)
      (loop $o (local.set 1 (i32.const 5))
        (loop $i (local.set 2 (i32.add (local.get 2) (local.get 1)))
          (br_if $i (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
        (br_if $o (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 2))`,
    `(func (export "early") (param i32) (result i32) (local i32)
      (block $out (loop $l (br_if $out (i32.gt_u (local.get 1) (local.get 0)))
        (if (i32.eq (local.get 1) (i32.const 9)) (then (return (i32.const -9))))
        (local.set 1 (i32.add (local.get 1) (i32.const 1))) (br $l))) (local.get 1))`,
    `(func (export "loop with a value") (param i32) (result i32)
      (i32.const 0) (loop $l (param i32) (result i32) (i32.const 3) (i32.add)
        (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))`,
    `(func (export "two values") (param i32) (result i32 i64)
      (block $b (result i32 i64) (i32.const 1) (i64.const 2) (br_if $b (local.get 0)) (drop) (i64.const 3)))`,
    '(func (export "return in the middle") (param i32) (result i32) (if (local.get 0) (then (return (i32.const 3)))) (nop) (i32.const 4))',
    '(func (export "dead code") (result i32) (return (i32.const 5)) (i32.add (i32.const 1)) (drop) (unreachable))',
    '(func (export "unreachable") (unreachable))',
    '(func (export "drop") (drop (i32.const 1)) (drop (f64.const 2)))',
    `(func (export "state") (param i32) (result i32) (local i32)
      (loop $again (block $2 (block $1 (block $0 (br_table $0 $1 $2 (i32.rem_u (local.get 0) (i32.const 3))))
          (local.set 1 (i32.add (local.get 1) (i32.const 1))) (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br $again))
          (local.set 1 (i32.mul (local.get 1) (i32.const 3))) (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br $again))
        (local.set 0 (i32.shr_u (local.get 0) (i32.const 1))) (br_if $again (i32.gt_u (local.get 0) (i32.const 2)))) (local.get 1))`,
  ];
  const calls = [
    ...[
      "if",
      "if alone",
      "select",
      "typed select",
      "table",
      "table value",
      "two values",
      "return in the middle",
    ].flatMap((name) => ["0", "1", "2", "-1"].map((value) => invoke(name, `(i32.const ${value})`))),
    ...["loop", "nested", "early", "loop with a value", "state"].flatMap((name) =>
      ["1", "2", "8", "30", "257"].map((value) => invoke(name, `(i32.const ${value})`)),
    ),
    ...["dead code", "unreachable", "drop"].map((name) => invoke(name)),
  ];
  return script(functions, calls);
}

function calls(): string {
  const functions = [
    "(type $n (func (param i32) (result i32)))",
    '(func $fac (export "factorial") (param i64) (result i64) (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 1)) (else (i64.mul (local.get 0) (call $fac (i64.sub (local.get 0) (i64.const 1)))))))',
    '(func $even (export "even") (param i32) (result i32) (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1)) (else (return_call $odd (i32.sub (local.get 0) (i32.const 1))))))',
    "(func $odd (param i32) (result i32) (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0)) (else (return_call $even (i32.sub (local.get 0) (i32.const 1))))))",
    "(func $leaf (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))",
    "(func $pair (param i32) (result i32 i32) (local.get 0) (i32.const 3))",
    "(table $t 3 funcref) (elem (i32.const 0) $leaf $even)",
    '(func (export "leaves") (param i32) (result i32) (local i32) (loop $l (local.set 1 (call $leaf (call $leaf (local.get 1)))) (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 1))',
    '(func (export "pairs") (param i32) (result i32) (call $pair (local.get 0)) (i32.mul))',
    '(func (export "indirect") (param i32 i32) (result i32) (call_indirect (type $n) (local.get 1) (local.get 0)))',
    '(func (export "tail indirect") (param i32 i32) (result i32) (return_call_indirect (type $n) (local.get 1) (local.get 0)))',
    '(func $ack (export "ackermann") (param i32 i32) (result i32) (if (i32.eqz (local.get 0)) (then (return (i32.add (local.get 1) (i32.const 1))))) (if (i32.eqz (local.get 1)) (then (return (call $ack (i32.sub (local.get 0) (i32.const 1)) (i32.const 1))))) (call $ack (i32.sub (local.get 0) (i32.const 1)) (call $ack (local.get 0) (i32.sub (local.get 1) (i32.const 1)))))',
    '(func $deep (export "deep") (param i32) (result i32) (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))',
  ];
  const calls = [
    ...["0", "1", "5", "20"].map((n) => invoke("factorial", `(i64.const ${n})`)),
    ...["0", "1", "10", "1001"].flatMap((n) =>
      ["even", "leaves", "pairs"].map((name) =>
        n === "0" && name === "leaves" ? "" : invoke(name, `(i32.const ${n})`),
      ),
    ),
    ...["0", "1", "2", "3"].flatMap((n) =>
      ["indirect", "tail indirect"].map((name) => invoke(name, `(i32.const ${n})`, "(i32.const 12)")),
    ),
    ...["1", "2"].map((n) => invoke("ackermann", `(i32.const ${n})`, "(i32.const 4)")),
    ...["0", "3", "500"].map((n) => invoke("deep", `(i32.const ${n})`)),
  ];
  return script(functions, calls);
}

function exceptions(): string {
  const functions = [
    "(tag $e (param i32)) (tag $none) (tag $pair (param i32 i64))",
    "(func $throws (param i32) (if (local.get 0) (then (throw $e (local.get 0)))))",
    '(func (export "catch") (param i32) (result i32) (block $h (result i32) (try_table (catch $e $h) (call $throws (local.get 0))) (i32.const -1)))',
    '(func (export "catch all") (param i32) (result i32) (block $h (try_table (catch_all $h) (call $throws (local.get 0))) (return (i32.const 0))) (i32.const 1))',
    '(func (export "catch in a loop") (param i32) (result i32) (local i32) (loop $l (block $h (try_table (catch_all $h) (call $throws (i32.and (local.get 0) (i32.const 1)))) (local.set 1 (i32.add (local.get 1) (i32.const 1)))) (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 1))',
    '(func (export "throw again") (param i32) (result i32) (block $o (result i32) (try_table (catch $e $o) (throw_ref (block $h (result exnref) (try_table (catch_all_ref $h) (call $throws (local.get 0))) (return (i32.const -2))))) (i32.const -3)))',
    '(func (export "pair") (result i32 i64) (block $h (result i32 i64) (try_table (catch $pair $h) (throw $pair (i32.const 4) (i64.const 5))) (unreachable)))',
    '(func (export "uncaught") (throw $none))',
    '(func (export "other tag") (param i32) (result i32) (block $h (try_table (catch $none $h) (call $throws (local.get 0))) (return (i32.const 0))) (i32.const 1))',
  ];
  const calls = [
    ...["catch", "catch all", "throw again", "other tag"].flatMap((name) =>
      ["0", "7"].map((n) => invoke(name, `(i32.const ${n})`)),
    ),
    ...["1", "2", "9"].map((n) => invoke("catch in a loop", `(i32.const ${n})`)),
    invoke("pair"),
    invoke("uncaught"),
  ];
  return script(functions, calls);
}

function oldExceptions(): string {
  const functions = [
    "(tag $e (param i32))",
    "(func $throws (param i32) (if (local.get 0) (then (throw $e (local.get 0)))))",
    '(func (export "catch") (param i32) (result i32) try (result i32) local.get 0 call $throws i32.const -1 catch $e end)',
    '(func (export "catch all") (param i32) (result i32) try (result i32) local.get 0 call $throws i32.const 0 catch_all i32.const 1 end)',
    '(func (export "rethrow") (param i32) (result i32) try (result i32) try (result i32) local.get 0 call $throws i32.const 2 catch_all rethrow 0 end catch $e end)',
    '(func (export "delegate") (param i32) (result i32) try $t (result i32) try (result i32) local.get 0 call $throws i32.const 3 delegate $t catch $e end)',
  ];
  const names = ["catch", "catch all", "rethrow", "delegate"];
  return script(
    functions,
    names.flatMap((name) => ["0", "7"].map((n) => invoke(name, `(i32.const ${n})`))),
  );
}

function references(): string {
  const functions = [
    "(type $f (func (param i32) (result i32)))",
    "(func $a (type $f) (i32.add (local.get 0) (i32.const 10))) (elem declare func $a)",
    '(func (export "call") (param i32) (result i32) (call_ref $f (local.get 0) (ref.func $a)))',
    '(func (export "tail call") (param i32) (result i32) (return_call_ref $f (local.get 0) (ref.func $a)))',
    '(func (export "call null") (param i32) (result i32) (call_ref $f (local.get 0) (ref.null $f)))',
    '(func (export "not null") (param i32) (result i32) (call_ref $f (local.get 0) (ref.as_non_null (select (result (ref null $f)) (ref.func $a) (ref.null $f) (local.get 0)))))',
    '(func (export "branch on null") (param i32) (result i32) (block $n (drop (br_on_null $n (select (result (ref null $f)) (ref.func $a) (ref.null $f) (local.get 0)))) (return (i32.const 1))) (i32.const 2))',
    '(func (export "branch on other") (param i32) (result i32) (block $s (result (ref $f)) (br_on_non_null $s (select (result (ref null $f)) (ref.func $a) (ref.null $f) (local.get 0))) (return (i32.const 5))) (drop) (i32.const 6))',
    '(func (export "is null") (param i32) (result i32) (ref.is_null (select (result funcref) (ref.func $a) (ref.null func) (local.get 0))))',
  ];
  const names = [
    "call",
    "tail call",
    "call null",
    "not null",
    "branch on null",
    "branch on other",
    "is null",
  ];
  return script(
    functions,
    names.flatMap((name) => ["0", "7"].map((n) => invoke(name, `(i32.const ${n})`))),
  );
}

function gc(): string {
  const functions = [
    "(type $point (struct (field $x (mut i32)) (field $y i8))) (type $bytes (array (mut i8))) (type $wide (sub $base (struct (field i64) (field f32)))) (type $base (sub (struct (field i64))))",
    '(data $d "0123456789")',
    '(func (export "struct") (param i32) (result i32) (local (ref $point)) (local.set 1 (struct.new $point (local.get 0) (i32.const 200))) (struct.set $point $x (local.get 1) (i32.const 5)) (i32.add (struct.get $point $x (local.get 1)) (struct.get_s $point $y (local.get 1))))',
    '(func (export "array") (param i32) (result i32) (local (ref $bytes)) (local.set 1 (array.new $bytes (i32.const 7) (local.get 0))) (array.set $bytes (local.get 1) (i32.const 1) (i32.const 255)) (i32.add (array.get_u $bytes (local.get 1) (i32.const 1)) (array.len (local.get 1))))',
    '(func (export "array ops") (param i32) (result i32) (local (ref $bytes) (ref $bytes)) (local.set 1 (array.new_default $bytes (local.get 0))) (local.set 2 (array.new_data $bytes $d (i32.const 1) (i32.const 6))) (array.fill $bytes (local.get 1) (i32.const 0) (i32.const 3) (i32.const 4)) (array.copy $bytes $bytes (local.get 1) (i32.const 2) (local.get 2) (i32.const 0) (i32.const 5)) (array.get_u $bytes (local.get 1) (i32.const 3)))',
    '(func (export "fixed") (result i32) (array.get_s $bytes (array.new_fixed $bytes 3 (i32.const 1) (i32.const 2) (i32.const 131)) (i32.const 2)))',
    '(func (export "i31") (param i32) (result i32) (i31.get_s (ref.i31 (local.get 0))))',
    '(func (export "any") (param i32) (result i32) (ref.test (ref i31) (any.convert_extern (extern.convert_any (ref.i31 (local.get 0))))))',
    '(func (export "null") (result i32) (struct.get $point $x (ref.null $point)))',
  ].map((text) =>
    text.replace(
      "(type $wide (sub $base (struct (field i64) (field f32)))) (type $base (sub (struct (field i64))))",
      "(type $base (sub (struct (field i64)))) (type $wide (sub $base (struct (field i64) (field f32))))",
    ),
  );
  functions.push(
    '(func (export "cast") (param i32) (result i32) (local anyref) (local.set 1 (if (result anyref) (local.get 0) (then (struct.new $wide (i64.const 1) (f32.const 2))) (else (struct.new $base (i64.const 3))))) (drop (ref.cast (ref $base) (local.get 1))) (block $y (result (ref $wide)) (br_on_cast $y anyref (ref $wide) (local.get 1)) (drop) (return (i32.const 0))) (drop) (i32.const 1))',
    '(func (export "bad cast") (result i64) (struct.get $base 0 (ref.cast (ref $wide) (struct.new_default $base))))',
    '(func (export "eq") (result i32) (ref.eq (ref.i31 (i32.const 4)) (ref.i31 (i32.const 4))))',
  );
  const calls = [
    ...["struct", "array", "array ops", "i31", "any", "cast"].flatMap((name) =>
      ["0", "9", "300", "-1"].map((n) =>
        name.startsWith("array") && n === "-1" ? "" : invoke(name, `(i32.const ${n})`),
      ),
    ),
    ...["fixed", "null", "bad cast", "eq"].map((name) => invoke(name)),
  ];
  return script(functions, calls);
}

function vectorIntegerOperators(): [string, number][] {
  const shapes = (names: string, count: number, ...which: string[]) =>
    words(names).flatMap((name) => which.map((shape): [string, number] => [`${shape}.${name}`, count]));
  return [
    ...shapes("add sub eq ne lt_s gt_s le_s ge_s", 2, "i8x16", "i16x8", "i32x4", "i64x2"),
    ...shapes("lt_u gt_u le_u ge_u min_s min_u max_s max_u", 2, "i8x16", "i16x8", "i32x4"),
    ...shapes("mul", 2, "i16x8", "i32x4", "i64x2"),
    ...shapes("add_sat_s add_sat_u sub_sat_s sub_sat_u avgr_u", 2, "i8x16", "i16x8"),
    ...shapes("abs neg", 1, "i8x16", "i16x8", "i32x4", "i64x2"),
    ...shapes("and or xor andnot", 2, "v128"),
    ["v128.not", 1],
    ["v128.bitselect", 3],
    ["i8x16.popcnt", 1],
    ["i8x16.swizzle", 2],
    ["i32x4.dot_i16x8_s", 2],
    ["i16x8.q15mulr_sat_s", 2],
    ["i8x16.narrow_i16x8_s", 2],
    ["i16x8.narrow_i32x4_u", 2],
    ["i16x8.extend_low_i8x16_s", 1],
    ["i32x4.extend_high_i16x8_u", 1],
    ["i64x2.extmul_low_i32x4_s", 2],
    ["i16x8.extadd_pairwise_i8x16_u", 1],
    ["i32x4.trunc_sat_f32x4_s", 1],
    ["i8x16.shuffle 0 17 2 19 4 21 6 23 8 25 10 27 12 29 14 31", 2],
  ];
}

function vectorFloatOperators(): [string, number][] {
  return ["f32x4", "f64x2"]
    .flatMap((shape) => [
      ...words("add sub mul div min max pmin pmax eq ne lt gt le ge").map((name): [string, number] => [
        `${shape}.${name}`,
        2,
      ]),
      ...words("abs neg sqrt ceil floor trunc nearest").map((name): [string, number] => [
        `${shape}.${name}`,
        1,
      ]),
    ])
    .concat([
      ["f32x4.convert_i32x4_s", 1],
      ["f64x2.convert_low_i32x4_u", 1],
      ["f32x4.demote_f64x2_zero", 1],
      ["f64x2.promote_low_f32x4", 1],
    ]);
}

function vectors(operators: () => [string, number][]): string {
  const list = operators();
  const values = [
    "(v128.const i32x4 1 -2 0x7fffffff 0x80808080)",
    "(v128.const f32x4 1.5 -0.0 nan inf)",
    "(v128.const f64x2 2.5 -nan:0x4000000000001)",
  ];
  const functions = list.map(
    ([name, count]) =>
      `(func (export "${name}") (param ${"v128 ".repeat(count)}) (result v128) (${name} ${Array.from({ length: count }, (_, index) => `(local.get ${index})`).join(" ")}))`,
  );
  const calls = list.flatMap(([name, count]) =>
    values.map((_, first) =>
      invoke(
        name,
        ...Array.from({ length: count }, (_, index) => values[(first + index) % values.length] ?? ""),
      ),
    ),
  );
  return script(functions, calls);
}

function vectorMemory(): string {
  const loads = words(
    "v128.load v128.load8x8_s v128.load16x4_u v128.load32x2_s v128.load8_splat v128.load16_splat v128.load32_splat v128.load64_splat v128.load32_zero v128.load64_zero",
  );
  const lanes = words("8 16 32 64");
  const extracts: [string, string][] = [
    ["i8x16.extract_lane_s 3", "i32"],
    ["i16x8.extract_lane_u 2", "i32"],
    ["i32x4.extract_lane 1", "i32"],
    ["i64x2.extract_lane 1", "i64"],
    ["f32x4.extract_lane 0", "f32"],
    ["f64x2.extract_lane 1", "f64"],
  ];
  const reduces = words(
    "v128.any_true i8x16.all_true i16x8.all_true i32x4.all_true i64x2.all_true i8x16.bitmask i16x8.bitmask i32x4.bitmask i64x2.bitmask",
  );
  const splats: [string, string][] = [
    ["i8x16.splat", "i32"],
    ["i16x8.splat", "i32"],
    ["i32x4.splat", "i32"],
    ["i64x2.splat", "i64"],
    ["f32x4.splat", "f32"],
    ["f64x2.splat", "f64"],
  ];
  const shifts = words("i8x16.shl i16x8.shr_s i32x4.shr_u i64x2.shl");
  const functions = [
    '(memory 1) (data (i32.const 0) "\\01\\82\\03\\84\\05\\86\\07\\88\\09\\8a\\0b\\8c\\0d\\8e\\0f\\90\\11\\92")',
    ...loads.map(
      (name) => `(func (export "${name}") (param i32) (result v128) (${name} offset=1 (local.get 0)))`,
    ),
    ...lanes.flatMap((bits) => [
      `(func (export "load lane ${bits}") (param i32 v128) (result v128) (v128.load${bits}_lane 1 (local.get 0) (local.get 1)))`,
      `(func (export "store lane ${bits}") (param i32 v128) (result v128) (v128.store${bits}_lane 1 (local.get 0) (local.get 1)) (v128.load (i32.const 32)))`,
    ]),
    '(func (export "store") (param i32 v128) (result v128) (v128.store (local.get 0) (local.get 1)) (v128.load (i32.const 32)))',
    ...extracts.map(
      ([name, type]) => `(func (export "${name}") (param v128) (result ${type}) (${name} (local.get 0)))`,
    ),
    ...extracts.map(([name, type]) => {
      const replace = name.replace(/extract_lane(_[su])?/, "replace_lane");
      return `(func (export "${replace}") (param v128 ${type}) (result v128) (${replace} (local.get 0) (local.get 1)))`;
    }),
    ...reduces.map((name) => `(func (export "${name}") (param v128) (result i32) (${name} (local.get 0)))`),
    ...splats.map(
      ([name, type]) => `(func (export "${name}") (param ${type}) (result v128) (${name} (local.get 0)))`,
    ),
    ...shifts.map(
      (name) =>
        `(func (export "${name}") (param v128 i32) (result v128) (${name} (local.get 0) (local.get 1)))`,
    ),
  ];
  const vector = "(v128.const i32x4 1 -2 3 0x7fc00001)";
  const calls = [
    ...loads.flatMap((name) => ["0", "65530"].map((at) => invoke(name, `(i32.const ${at})`))),
    ...lanes.flatMap((bits) =>
      ["32", "65535"].flatMap((at) => [
        invoke(`load lane ${bits}`, `(i32.const ${at})`, vector),
        invoke(`store lane ${bits}`, `(i32.const ${at})`, vector),
      ]),
    ),
    ...["32", "65521"].map((at) => invoke("store", `(i32.const ${at})`, vector)),
    ...extracts.map(([name]) => invoke(name, vector)),
    ...extracts.map(([name, type]) =>
      invoke(name.replace(/extract_lane(_[su])?/, "replace_lane"), vector, `(${type}.const 77)`),
    ),
    ...reduces.map((name) => invoke(name, vector)),
    ...splats.map(([name, type]) => invoke(name, `(${type}.const 123)`)),
    ...shifts.map((name) => invoke(name, vector, "(i32.const 35)")),
  ];
  return script(functions, calls);
}

function atomics(): string {
  const operators = ["add", "sub", "and", "or", "xor", "xchg"].flatMap((name) => [
    `i32.atomic.rmw.${name}`,
    `i64.atomic.rmw.${name}`,
    `i32.atomic.rmw8.${name}_u`,
  ]);
  const typeOf = (name: string) => name.slice(0, 3);
  const functions = [
    '(memory 1) (data (i32.const 0) "\\01\\02\\03\\04\\05\\06\\07\\08")',
    ...operators.map(
      (name) =>
        `(func (export "${name}") (param i32 ${typeOf(name)}) (result ${typeOf(name)}) (${name} (local.get 0) (local.get 1)))`,
    ),
    '(func (export "cmpxchg") (param i32 i32 i32) (result i32) (i32.atomic.rmw.cmpxchg (local.get 0) (local.get 1) (local.get 2)))',
    '(func (export "load") (param i32) (result i64) (i64.atomic.load (local.get 0)))',
    '(func (export "store") (param i32 i32) (i32.atomic.store (local.get 0) (local.get 1)))',
    '(func (export "fence") (atomic.fence))',
    '(func (export "notify") (param i32) (result i32) (memory.atomic.notify (local.get 0) (i32.const 1)))',
  ];
  const calls = [
    ...operators.flatMap((name) =>
      ["0", "1"].map((at) => invoke(name, `(i32.const ${at})`, `(${typeOf(name)}.const 12)`)),
    ),
    invoke("cmpxchg", "(i32.const 8)", "(i32.const 0)", "(i32.const 9)"),
    ...["0", "4", "65536"].map((at) => invoke("load", `(i32.const ${at})`)),
    invoke("store", "(i32.const 16)", "(i32.const 5)"),
    invoke("fence"),
    invoke("notify", "(i32.const 0)"),
  ];
  return script(functions, calls);
}

function memory64(): string {
  const functions = [
    "(memory i64 1 16)",
    '(func (export "store") (param i64 i64) (result i64) (i64.store offset=16 (local.get 0) (local.get 1)) (i64.load (i64.const 24)))',
    '(func (export "fill") (param i64 i64) (memory.fill (local.get 0) (i32.const 3) (local.get 1)))',
    '(func (export "copy") (param i64 i64 i64) (memory.copy (local.get 0) (local.get 1) (local.get 2)))',
    '(func (export "grow") (param i64) (result i64) (memory.grow (local.get 0)))',
    '(func (export "size") (result i64) (memory.size))',
  ];
  const calls = [
    ["store", 8, 77],
    ["store", -1, 1],
    ["store", 65_512, 1],
    ["store", 65_513, 1],
    ["fill", 0, 10_000],
    ["fill", 0, -1],
    ["fill", 65_536, 0],
    ["grow", 3],
    ["grow", -1],
    ["grow", 100],
    ["size"],
    ["fill", 1, 200_000],
    ["copy", 0, 5, 100_000],
    ["copy", 5, 0, 100_000],
    ["copy", -1, 0, 1],
    ["store", 65_513, 4],
  ].map(([name, ...args]) => invoke(String(name), ...args.map((arg) => `(i64.const ${arg})`)));
  return script(functions, calls);
}

function invoke(name: string | undefined, ...args: readonly string[]): string {
  return `(invoke "${name}" ${args.join(" ")})`;
}

function script(functions: readonly string[], calls: readonly string[]): string {
  return `(module\n${functions.join("\n")})\n${calls.filter(Boolean).join("\n")}\n`;
}
