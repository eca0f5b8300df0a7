/**
 * Every operator that Remora knows, as one flat table: what V8 14 accepts, whatever a profile then allows. What is
 * not here is refused. Numbers follow the core specification, "Index of Instructions", and for threads, relaxed
 * SIMD and legacy exceptions the texts of their proposals.
 */

/** What follows an opcode in the binary. */
export const Immediate = {
  none: 0,
  block: 1,
  label: 2,
  labels: 3,
  func: 4,
  indirect: 5,
  type: 6,
  local: 7,
  global: 8,
  table: 9,
  memarg: 10,
  memory: 11,
  memoryMemory: 12,
  dataMemory: 13,
  data: 14,
  elemTable: 15,
  elem: 16,
  tableTable: 17,
  i32: 18,
  i64: 19,
  f32: 20,
  f64: 21,
  v128: 22,
  lane: 23,
  memargLane: 24,
  lanes: 25,
  select: 26,
  heap: 27,
  tag: 28,
  tryTable: 29,
  castLabel: 30,
  typeField: 31,
  typeCount: 32,
  typeData: 33,
  typeElem: 34,
  typeType: 35,
  fence: 36,
} as const;

export type ImmediateName = keyof typeof Immediate;

/** A group of operators that came into the specification together and is allowed or refused together. */
export type Feature = keyof typeof operatorTable;

export interface Operator {
  readonly name: string;
  readonly feature: Feature;
  readonly immediate: ImmediateName;
  /** Values taken from and put on the operand stack; undefined where they depend on types or labels. */
  readonly pops: number | undefined;
  readonly pushes: number | undefined;
}

/**
 * Index of an operator in the arrays below: the opcode itself, or for a prefixed one the page of its prefix plus
 * the number behind it.
 */
export const operatorSpace = 0x700;
/** First index of each prefix's page, at `prefix - 0xfb`: GC, bulk and saturating, SIMD, atomics. */
export const prefixPages: readonly number[] = [0x100, 0x200, 0x300, 0x500];
/** How many numbers the page has, at the same index. */
export const prefixPageSizes: readonly number[] = [0x100, 0x100, 0x200, 0x100];
export const firstPrefix = 0xfb;
export const lastPrefix = 0xfe;

// A row: opcode, name, immediate, values popped, values pushed ("*": it depends).
const operatorTable = {
  mvp: `
    00 unreachable none 0 0
    01 nop none 0 0
    02 block block * *
    03 loop block * *
    04 if block * *
    05 else none * *
    0b end none * *
    0c br label * *
    0d br_if label 1 0
    0e br_table labels 1 0
    0f return none * *
    10 call func * *
    11 call_indirect indirect * *
    1a drop none 1 0
    1b select none 3 1
    20 local.get local 0 1
    21 local.set local 1 0
    22 local.tee local 1 1
    23 global.get global 0 1
    24 global.set global 1 0
    28 i32.load memarg 1 1
    29 i64.load memarg 1 1
    2a f32.load memarg 1 1
    2b f64.load memarg 1 1
    2c i32.load8_s memarg 1 1
    2d i32.load8_u memarg 1 1
    2e i32.load16_s memarg 1 1
    2f i32.load16_u memarg 1 1
    30 i64.load8_s memarg 1 1
    31 i64.load8_u memarg 1 1
    32 i64.load16_s memarg 1 1
    33 i64.load16_u memarg 1 1
    34 i64.load32_s memarg 1 1
    35 i64.load32_u memarg 1 1
    36 i32.store memarg 2 0
    37 i64.store memarg 2 0
    38 f32.store memarg 2 0
    39 f64.store memarg 2 0
    3a i32.store8 memarg 2 0
    3b i32.store16 memarg 2 0
    3c i64.store8 memarg 2 0
    3d i64.store16 memarg 2 0
    3e i64.store32 memarg 2 0
    3f memory.size memory 0 1
    40 memory.grow memory 1 1
    41 i32.const i32 0 1
    42 i64.const i64 0 1
    43 f32.const f32 0 1
    44 f64.const f64 0 1
    45 i32.eqz none 1 1
    46 i32.eq none 2 1
    47 i32.ne none 2 1
    48 i32.lt_s none 2 1
    49 i32.lt_u none 2 1
    4a i32.gt_s none 2 1
    4b i32.gt_u none 2 1
    4c i32.le_s none 2 1
    4d i32.le_u none 2 1
    4e i32.ge_s none 2 1
    4f i32.ge_u none 2 1
    50 i64.eqz none 1 1
    51 i64.eq none 2 1
    52 i64.ne none 2 1
    53 i64.lt_s none 2 1
    54 i64.lt_u none 2 1
    55 i64.gt_s none 2 1
    56 i64.gt_u none 2 1
    57 i64.le_s none 2 1
    58 i64.le_u none 2 1
    59 i64.ge_s none 2 1
    5a i64.ge_u none 2 1
    5b f32.eq none 2 1
    5c f32.ne none 2 1
    5d f32.lt none 2 1
    5e f32.gt none 2 1
    5f f32.le none 2 1
    60 f32.ge none 2 1
    61 f64.eq none 2 1
    62 f64.ne none 2 1
    63 f64.lt none 2 1
    64 f64.gt none 2 1
    65 f64.le none 2 1
    66 f64.ge none 2 1
    67 i32.clz none 1 1
    68 i32.ctz none 1 1
    69 i32.popcnt none 1 1
    6a i32.add none 2 1
    6b i32.sub none 2 1
    6c i32.mul none 2 1
    6d i32.div_s none 2 1
    6e i32.div_u none 2 1
    6f i32.rem_s none 2 1
    70 i32.rem_u none 2 1
    71 i32.and none 2 1
    72 i32.or none 2 1
    73 i32.xor none 2 1
    74 i32.shl none 2 1
    75 i32.shr_s none 2 1
    76 i32.shr_u none 2 1
    77 i32.rotl none 2 1
    78 i32.rotr none 2 1
    79 i64.clz none 1 1
    7a i64.ctz none 1 1
    7b i64.popcnt none 1 1
    7c i64.add none 2 1
    7d i64.sub none 2 1
    7e i64.mul none 2 1
    7f i64.div_s none 2 1
    80 i64.div_u none 2 1
    81 i64.rem_s none 2 1
    82 i64.rem_u none 2 1
    83 i64.and none 2 1
    84 i64.or none 2 1
    85 i64.xor none 2 1
    86 i64.shl none 2 1
    87 i64.shr_s none 2 1
    88 i64.shr_u none 2 1
    89 i64.rotl none 2 1
    8a i64.rotr none 2 1
    8b f32.abs none 1 1
    8c f32.neg none 1 1
    8d f32.ceil none 1 1
    8e f32.floor none 1 1
    8f f32.trunc none 1 1
    90 f32.nearest none 1 1
    91 f32.sqrt none 1 1
    92 f32.add none 2 1
    93 f32.sub none 2 1
    94 f32.mul none 2 1
    95 f32.div none 2 1
    96 f32.min none 2 1
    97 f32.max none 2 1
    98 f32.copysign none 2 1
    99 f64.abs none 1 1
    9a f64.neg none 1 1
    9b f64.ceil none 1 1
    9c f64.floor none 1 1
    9d f64.trunc none 1 1
    9e f64.nearest none 1 1
    9f f64.sqrt none 1 1
    a0 f64.add none 2 1
    a1 f64.sub none 2 1
    a2 f64.mul none 2 1
    a3 f64.div none 2 1
    a4 f64.min none 2 1
    a5 f64.max none 2 1
    a6 f64.copysign none 2 1
    a7 i32.wrap_i64 none 1 1
    a8 i32.trunc_f32_s none 1 1
    a9 i32.trunc_f32_u none 1 1
    aa i32.trunc_f64_s none 1 1
    ab i32.trunc_f64_u none 1 1
    ac i64.extend_i32_s none 1 1
    ad i64.extend_i32_u none 1 1
    ae i64.trunc_f32_s none 1 1
    af i64.trunc_f32_u none 1 1
    b0 i64.trunc_f64_s none 1 1
    b1 i64.trunc_f64_u none 1 1
    b2 f32.convert_i32_s none 1 1
    b3 f32.convert_i32_u none 1 1
    b4 f32.convert_i64_s none 1 1
    b5 f32.convert_i64_u none 1 1
    b6 f32.demote_f64 none 1 1
    b7 f64.convert_i32_s none 1 1
    b8 f64.convert_i32_u none 1 1
    b9 f64.convert_i64_s none 1 1
    ba f64.convert_i64_u none 1 1
    bb f64.promote_f32 none 1 1
    bc i32.reinterpret_f32 none 1 1
    bd i64.reinterpret_f64 none 1 1
    be f32.reinterpret_i32 none 1 1
    bf f64.reinterpret_i64 none 1 1`,
  "sign-extension": `
    c0 i32.extend8_s none 1 1
    c1 i32.extend16_s none 1 1
    c2 i64.extend8_s none 1 1
    c3 i64.extend16_s none 1 1
    c4 i64.extend32_s none 1 1`,
  "saturating-float-to-int": `
    fc00 i32.trunc_sat_f32_s none 1 1
    fc01 i32.trunc_sat_f32_u none 1 1
    fc02 i32.trunc_sat_f64_s none 1 1
    fc03 i32.trunc_sat_f64_u none 1 1
    fc04 i64.trunc_sat_f32_s none 1 1
    fc05 i64.trunc_sat_f32_u none 1 1
    fc06 i64.trunc_sat_f64_s none 1 1
    fc07 i64.trunc_sat_f64_u none 1 1`,
  "bulk-memory": `
    fc08 memory.init dataMemory 3 0
    fc09 data.drop data 0 0
    fc0a memory.copy memoryMemory 3 0
    fc0b memory.fill memory 3 0
    fc0c table.init elemTable 3 0
    fc0d elem.drop elem 0 0
    fc0e table.copy tableTable 3 0`,
  "reference-types": `
    1c select select 3 1
    25 table.get table 1 1
    26 table.set table 2 0
    d0 ref.null heap 0 1
    d1 ref.is_null none 1 1
    d2 ref.func func 0 1
    fc0f table.grow table 2 1
    fc10 table.size table 0 1
    fc11 table.fill table 3 0`,
  "tail-call": `
    12 return_call func * *
    13 return_call_indirect indirect * *`,
  "legacy-exceptions": `
    06 try block * *
    07 catch tag * *
    09 rethrow label * *
    18 delegate label * *
    19 catch_all none * *`,
  exceptions: `
    08 throw tag * *
    0a throw_ref none 1 0
    1f try_table tryTable * *`,
  "function-references": `
    14 call_ref type * *
    15 return_call_ref type * *
    d4 ref.as_non_null none 1 1
    d5 br_on_null label 1 1
    d6 br_on_non_null label 1 0`,
  gc: `
    d3 ref.eq none 2 1
    fb00 struct.new type * *
    fb01 struct.new_default type 0 1
    fb02 struct.get typeField 1 1
    fb03 struct.get_s typeField 1 1
    fb04 struct.get_u typeField 1 1
    fb05 struct.set typeField 2 0
    fb06 array.new type 2 1
    fb07 array.new_default type 1 1
    fb08 array.new_fixed typeCount * *
    fb09 array.new_data typeData 2 1
    fb0a array.new_elem typeElem 2 1
    fb0b array.get type 2 1
    fb0c array.get_s type 2 1
    fb0d array.get_u type 2 1
    fb0e array.set type 3 0
    fb0f array.len none 1 1
    fb10 array.fill type 4 0
    fb11 array.copy typeType 5 0
    fb12 array.init_data typeData 4 0
    fb13 array.init_elem typeElem 4 0
    fb14 ref.test heap 1 1
    fb15 ref.test_null heap 1 1
    fb16 ref.cast heap 1 1
    fb17 ref.cast_null heap 1 1
    fb18 br_on_cast castLabel 1 1
    fb19 br_on_cast_fail castLabel 1 1
    fb1a any.convert_extern none 1 1
    fb1b extern.convert_any none 1 1
    fb1c ref.i31 none 1 1
    fb1d i31.get_s none 1 1
    fb1e i31.get_u none 1 1`,
  simd: `
    fd00 v128.load memarg 1 1
    fd01 v128.load8x8_s memarg 1 1
    fd02 v128.load8x8_u memarg 1 1
    fd03 v128.load16x4_s memarg 1 1
    fd04 v128.load16x4_u memarg 1 1
    fd05 v128.load32x2_s memarg 1 1
    fd06 v128.load32x2_u memarg 1 1
    fd07 v128.load8_splat memarg 1 1
    fd08 v128.load16_splat memarg 1 1
    fd09 v128.load32_splat memarg 1 1
    fd0a v128.load64_splat memarg 1 1
    fd0b v128.store memarg 2 0
    fd0c v128.const v128 0 1
    fd0d i8x16.shuffle lanes 2 1
    fd0e i8x16.swizzle none 2 1
    fd0f i8x16.splat none 1 1
    fd10 i16x8.splat none 1 1
    fd11 i32x4.splat none 1 1
    fd12 i64x2.splat none 1 1
    fd13 f32x4.splat none 1 1
    fd14 f64x2.splat none 1 1
    fd15 i8x16.extract_lane_s lane 1 1
    fd16 i8x16.extract_lane_u lane 1 1
    fd17 i8x16.replace_lane lane 2 1
    fd18 i16x8.extract_lane_s lane 1 1
    fd19 i16x8.extract_lane_u lane 1 1
    fd1a i16x8.replace_lane lane 2 1
    fd1b i32x4.extract_lane lane 1 1
    fd1c i32x4.replace_lane lane 2 1
    fd1d i64x2.extract_lane lane 1 1
    fd1e i64x2.replace_lane lane 2 1
    fd1f f32x4.extract_lane lane 1 1
    fd20 f32x4.replace_lane lane 2 1
    fd21 f64x2.extract_lane lane 1 1
    fd22 f64x2.replace_lane lane 2 1
    fd23 i8x16.eq none 2 1
    fd24 i8x16.ne none 2 1
    fd25 i8x16.lt_s none 2 1
    fd26 i8x16.lt_u none 2 1
    fd27 i8x16.gt_s none 2 1
    fd28 i8x16.gt_u none 2 1
    fd29 i8x16.le_s none 2 1
    fd2a i8x16.le_u none 2 1
    fd2b i8x16.ge_s none 2 1
    fd2c i8x16.ge_u none 2 1
    fd2d i16x8.eq none 2 1
    fd2e i16x8.ne none 2 1
    fd2f i16x8.lt_s none 2 1
    fd30 i16x8.lt_u none 2 1
    fd31 i16x8.gt_s none 2 1
    fd32 i16x8.gt_u none 2 1
    fd33 i16x8.le_s none 2 1
    fd34 i16x8.le_u none 2 1
    fd35 i16x8.ge_s none 2 1
    fd36 i16x8.ge_u none 2 1
    fd37 i32x4.eq none 2 1
    fd38 i32x4.ne none 2 1
    fd39 i32x4.lt_s none 2 1
    fd3a i32x4.lt_u none 2 1
    fd3b i32x4.gt_s none 2 1
    fd3c i32x4.gt_u none 2 1
    fd3d i32x4.le_s none 2 1
    fd3e i32x4.le_u none 2 1
    fd3f i32x4.ge_s none 2 1
    fd40 i32x4.ge_u none 2 1
    fd41 f32x4.eq none 2 1
    fd42 f32x4.ne none 2 1
    fd43 f32x4.lt none 2 1
    fd44 f32x4.gt none 2 1
    fd45 f32x4.le none 2 1
    fd46 f32x4.ge none 2 1
    fd47 f64x2.eq none 2 1
    fd48 f64x2.ne none 2 1
    fd49 f64x2.lt none 2 1
    fd4a f64x2.gt none 2 1
    fd4b f64x2.le none 2 1
    fd4c f64x2.ge none 2 1
    fd4d v128.not none 1 1
    fd4e v128.and none 2 1
    fd4f v128.andnot none 2 1
    fd50 v128.or none 2 1
    fd51 v128.xor none 2 1
    fd52 v128.bitselect none 3 1
    fd53 v128.any_true none 1 1
    fd54 v128.load8_lane memargLane 2 1
    fd55 v128.load16_lane memargLane 2 1
    fd56 v128.load32_lane memargLane 2 1
    fd57 v128.load64_lane memargLane 2 1
    fd58 v128.store8_lane memargLane 2 0
    fd59 v128.store16_lane memargLane 2 0
    fd5a v128.store32_lane memargLane 2 0
    fd5b v128.store64_lane memargLane 2 0
    fd5c v128.load32_zero memarg 1 1
    fd5d v128.load64_zero memarg 1 1
    fd5e f32x4.demote_f64x2_zero none 1 1
    fd5f f64x2.promote_low_f32x4 none 1 1
    fd60 i8x16.abs none 1 1
    fd61 i8x16.neg none 1 1
    fd62 i8x16.popcnt none 1 1
    fd63 i8x16.all_true none 1 1
    fd64 i8x16.bitmask none 1 1
    fd65 i8x16.narrow_i16x8_s none 2 1
    fd66 i8x16.narrow_i16x8_u none 2 1
    fd67 f32x4.ceil none 1 1
    fd68 f32x4.floor none 1 1
    fd69 f32x4.trunc none 1 1
    fd6a f32x4.nearest none 1 1
    fd6b i8x16.shl none 2 1
    fd6c i8x16.shr_s none 2 1
    fd6d i8x16.shr_u none 2 1
    fd6e i8x16.add none 2 1
    fd6f i8x16.add_sat_s none 2 1
    fd70 i8x16.add_sat_u none 2 1
    fd71 i8x16.sub none 2 1
    fd72 i8x16.sub_sat_s none 2 1
    fd73 i8x16.sub_sat_u none 2 1
    fd74 f64x2.ceil none 1 1
    fd75 f64x2.floor none 1 1
    fd76 i8x16.min_s none 2 1
    fd77 i8x16.min_u none 2 1
    fd78 i8x16.max_s none 2 1
    fd79 i8x16.max_u none 2 1
    fd7a f64x2.trunc none 1 1
    fd7b i8x16.avgr_u none 2 1
    fd7c i16x8.extadd_pairwise_i8x16_s none 1 1
    fd7d i16x8.extadd_pairwise_i8x16_u none 1 1
    fd7e i32x4.extadd_pairwise_i16x8_s none 1 1
    fd7f i32x4.extadd_pairwise_i16x8_u none 1 1
    fd80 i16x8.abs none 1 1
    fd81 i16x8.neg none 1 1
    fd82 i16x8.q15mulr_sat_s none 2 1
    fd83 i16x8.all_true none 1 1
    fd84 i16x8.bitmask none 1 1
    fd85 i16x8.narrow_i32x4_s none 2 1
    fd86 i16x8.narrow_i32x4_u none 2 1
    fd87 i16x8.extend_low_i8x16_s none 1 1
    fd88 i16x8.extend_high_i8x16_s none 1 1
    fd89 i16x8.extend_low_i8x16_u none 1 1
    fd8a i16x8.extend_high_i8x16_u none 1 1
    fd8b i16x8.shl none 2 1
    fd8c i16x8.shr_s none 2 1
    fd8d i16x8.shr_u none 2 1
    fd8e i16x8.add none 2 1
    fd8f i16x8.add_sat_s none 2 1
    fd90 i16x8.add_sat_u none 2 1
    fd91 i16x8.sub none 2 1
    fd92 i16x8.sub_sat_s none 2 1
    fd93 i16x8.sub_sat_u none 2 1
    fd94 f64x2.nearest none 1 1
    fd95 i16x8.mul none 2 1
    fd96 i16x8.min_s none 2 1
    fd97 i16x8.min_u none 2 1
    fd98 i16x8.max_s none 2 1
    fd99 i16x8.max_u none 2 1
    fd9b i16x8.avgr_u none 2 1
    fd9c i16x8.extmul_low_i8x16_s none 2 1
    fd9d i16x8.extmul_high_i8x16_s none 2 1
    fd9e i16x8.extmul_low_i8x16_u none 2 1
    fd9f i16x8.extmul_high_i8x16_u none 2 1
    fda0 i32x4.abs none 1 1
    fda1 i32x4.neg none 1 1
    fda3 i32x4.all_true none 1 1
    fda4 i32x4.bitmask none 1 1
    fda7 i32x4.extend_low_i16x8_s none 1 1
    fda8 i32x4.extend_high_i16x8_s none 1 1
    fda9 i32x4.extend_low_i16x8_u none 1 1
    fdaa i32x4.extend_high_i16x8_u none 1 1
    fdab i32x4.shl none 2 1
    fdac i32x4.shr_s none 2 1
    fdad i32x4.shr_u none 2 1
    fdae i32x4.add none 2 1
    fdb1 i32x4.sub none 2 1
    fdb5 i32x4.mul none 2 1
    fdb6 i32x4.min_s none 2 1
    fdb7 i32x4.min_u none 2 1
    fdb8 i32x4.max_s none 2 1
    fdb9 i32x4.max_u none 2 1
    fdba i32x4.dot_i16x8_s none 2 1
    fdbc i32x4.extmul_low_i16x8_s none 2 1
    fdbd i32x4.extmul_high_i16x8_s none 2 1
    fdbe i32x4.extmul_low_i16x8_u none 2 1
    fdbf i32x4.extmul_high_i16x8_u none 2 1
    fdc0 i64x2.abs none 1 1
    fdc1 i64x2.neg none 1 1
    fdc3 i64x2.all_true none 1 1
    fdc4 i64x2.bitmask none 1 1
    fdc7 i64x2.extend_low_i32x4_s none 1 1
    fdc8 i64x2.extend_high_i32x4_s none 1 1
    fdc9 i64x2.extend_low_i32x4_u none 1 1
    fdca i64x2.extend_high_i32x4_u none 1 1
    fdcb i64x2.shl none 2 1
    fdcc i64x2.shr_s none 2 1
    fdcd i64x2.shr_u none 2 1
    fdce i64x2.add none 2 1
    fdd1 i64x2.sub none 2 1
    fdd5 i64x2.mul none 2 1
    fdd6 i64x2.eq none 2 1
    fdd7 i64x2.ne none 2 1
    fdd8 i64x2.lt_s none 2 1
    fdd9 i64x2.gt_s none 2 1
    fdda i64x2.le_s none 2 1
    fddb i64x2.ge_s none 2 1
    fddc i64x2.extmul_low_i32x4_s none 2 1
    fddd i64x2.extmul_high_i32x4_s none 2 1
    fdde i64x2.extmul_low_i32x4_u none 2 1
    fddf i64x2.extmul_high_i32x4_u none 2 1
    fde0 f32x4.abs none 1 1
    fde1 f32x4.neg none 1 1
    fde3 f32x4.sqrt none 1 1
    fde4 f32x4.add none 2 1
    fde5 f32x4.sub none 2 1
    fde6 f32x4.mul none 2 1
    fde7 f32x4.div none 2 1
    fde8 f32x4.min none 2 1
    fde9 f32x4.max none 2 1
    fdea f32x4.pmin none 2 1
    fdeb f32x4.pmax none 2 1
    fdec f64x2.abs none 1 1
    fded f64x2.neg none 1 1
    fdef f64x2.sqrt none 1 1
    fdf0 f64x2.add none 2 1
    fdf1 f64x2.sub none 2 1
    fdf2 f64x2.mul none 2 1
    fdf3 f64x2.div none 2 1
    fdf4 f64x2.min none 2 1
    fdf5 f64x2.max none 2 1
    fdf6 f64x2.pmin none 2 1
    fdf7 f64x2.pmax none 2 1
    fdf8 i32x4.trunc_sat_f32x4_s none 1 1
    fdf9 i32x4.trunc_sat_f32x4_u none 1 1
    fdfa f32x4.convert_i32x4_s none 1 1
    fdfb f32x4.convert_i32x4_u none 1 1
    fdfc i32x4.trunc_sat_f64x2_s_zero none 1 1
    fdfd i32x4.trunc_sat_f64x2_u_zero none 1 1
    fdfe f64x2.convert_low_i32x4_s none 1 1
    fdff f64x2.convert_low_i32x4_u none 1 1`,
  "relaxed-simd": `
    fd100 i8x16.relaxed_swizzle none 2 1
    fd101 i32x4.relaxed_trunc_f32x4_s none 1 1
    fd102 i32x4.relaxed_trunc_f32x4_u none 1 1
    fd103 i32x4.relaxed_trunc_f64x2_s_zero none 1 1
    fd104 i32x4.relaxed_trunc_f64x2_u_zero none 1 1
    fd105 f32x4.relaxed_madd none 3 1
    fd106 f32x4.relaxed_nmadd none 3 1
    fd107 f64x2.relaxed_madd none 3 1
    fd108 f64x2.relaxed_nmadd none 3 1
    fd109 i8x16.relaxed_laneselect none 3 1
    fd10a i16x8.relaxed_laneselect none 3 1
    fd10b i32x4.relaxed_laneselect none 3 1
    fd10c i64x2.relaxed_laneselect none 3 1
    fd10d f32x4.relaxed_min none 2 1
    fd10e f32x4.relaxed_max none 2 1
    fd10f f64x2.relaxed_min none 2 1
    fd110 f64x2.relaxed_max none 2 1
    fd111 i16x8.relaxed_q15mulr_s none 2 1
    fd112 i16x8.relaxed_dot_i8x16_i7x16_s none 2 1
    fd113 i32x4.relaxed_dot_i8x16_i7x16_add_s none 3 1`,
  threads: `
    fe00 memory.atomic.notify memarg 2 1
    fe01 memory.atomic.wait32 memarg 3 1
    fe02 memory.atomic.wait64 memarg 3 1
    fe03 atomic.fence fence 0 0
    fe10 i32.atomic.load memarg 1 1
    fe11 i64.atomic.load memarg 1 1
    fe12 i32.atomic.load8_u memarg 1 1
    fe13 i32.atomic.load16_u memarg 1 1
    fe14 i64.atomic.load8_u memarg 1 1
    fe15 i64.atomic.load16_u memarg 1 1
    fe16 i64.atomic.load32_u memarg 1 1
    fe17 i32.atomic.store memarg 2 0
    fe18 i64.atomic.store memarg 2 0
    fe19 i32.atomic.store8 memarg 2 0
    fe1a i32.atomic.store16 memarg 2 0
    fe1b i64.atomic.store8 memarg 2 0
    fe1c i64.atomic.store16 memarg 2 0
    fe1d i64.atomic.store32 memarg 2 0
    fe1e i32.atomic.rmw.add memarg 2 1
    fe1f i64.atomic.rmw.add memarg 2 1
    fe20 i32.atomic.rmw8.add_u memarg 2 1
    fe21 i32.atomic.rmw16.add_u memarg 2 1
    fe22 i64.atomic.rmw8.add_u memarg 2 1
    fe23 i64.atomic.rmw16.add_u memarg 2 1
    fe24 i64.atomic.rmw32.add_u memarg 2 1
    fe25 i32.atomic.rmw.sub memarg 2 1
    fe26 i64.atomic.rmw.sub memarg 2 1
    fe27 i32.atomic.rmw8.sub_u memarg 2 1
    fe28 i32.atomic.rmw16.sub_u memarg 2 1
    fe29 i64.atomic.rmw8.sub_u memarg 2 1
    fe2a i64.atomic.rmw16.sub_u memarg 2 1
    fe2b i64.atomic.rmw32.sub_u memarg 2 1
    fe2c i32.atomic.rmw.and memarg 2 1
    fe2d i64.atomic.rmw.and memarg 2 1
    fe2e i32.atomic.rmw8.and_u memarg 2 1
    fe2f i32.atomic.rmw16.and_u memarg 2 1
    fe30 i64.atomic.rmw8.and_u memarg 2 1
    fe31 i64.atomic.rmw16.and_u memarg 2 1
    fe32 i64.atomic.rmw32.and_u memarg 2 1
    fe33 i32.atomic.rmw.or memarg 2 1
    fe34 i64.atomic.rmw.or memarg 2 1
    fe35 i32.atomic.rmw8.or_u memarg 2 1
    fe36 i32.atomic.rmw16.or_u memarg 2 1
    fe37 i64.atomic.rmw8.or_u memarg 2 1
    fe38 i64.atomic.rmw16.or_u memarg 2 1
    fe39 i64.atomic.rmw32.or_u memarg 2 1
    fe3a i32.atomic.rmw.xor memarg 2 1
    fe3b i64.atomic.rmw.xor memarg 2 1
    fe3c i32.atomic.rmw8.xor_u memarg 2 1
    fe3d i32.atomic.rmw16.xor_u memarg 2 1
    fe3e i64.atomic.rmw8.xor_u memarg 2 1
    fe3f i64.atomic.rmw16.xor_u memarg 2 1
    fe40 i64.atomic.rmw32.xor_u memarg 2 1
    fe41 i32.atomic.rmw.xchg memarg 2 1
    fe42 i64.atomic.rmw.xchg memarg 2 1
    fe43 i32.atomic.rmw8.xchg_u memarg 2 1
    fe44 i32.atomic.rmw16.xchg_u memarg 2 1
    fe45 i64.atomic.rmw8.xchg_u memarg 2 1
    fe46 i64.atomic.rmw16.xchg_u memarg 2 1
    fe47 i64.atomic.rmw32.xchg_u memarg 2 1
    fe48 i32.atomic.rmw.cmpxchg memarg 3 1
    fe49 i64.atomic.rmw.cmpxchg memarg 3 1
    fe4a i32.atomic.rmw8.cmpxchg_u memarg 3 1
    fe4b i32.atomic.rmw16.cmpxchg_u memarg 3 1
    fe4c i64.atomic.rmw8.cmpxchg_u memarg 3 1
    fe4d i64.atomic.rmw16.cmpxchg_u memarg 3 1
    fe4e i64.atomic.rmw32.cmpxchg_u memarg 3 1`,
} as const;

/** By index; undefined where there is no operator. */
export const operators: readonly (Operator | undefined)[] = buildOperators();

/** Index of the operator with this name. Both forms of `select` have one name; this gives the untyped one. */
export const operatorIndexes: ReadonlyMap<string, number> = new Map(
  operators
    .flatMap((operator, index) => (operator === undefined ? [] : [[operator.name, index] as const]))
    .reverse(),
);

export const features: readonly Feature[] = Object.keys(operatorTable) as Feature[]; // its own keys

function buildOperators(): (Operator | undefined)[] {
  const table = new Array<Operator | undefined>(operatorSpace).fill(undefined);
  for (const [feature, rows] of Object.entries(operatorTable)) {
    for (const row of rows.trim().split("\n")) {
      const [code = "", name = "", immediate = "", pops = "", pushes = ""] = row.trim().split(" ");
      table[operatorIndex(code)] = {
        name,
        feature: feature as Feature, // the key it was listed under
        immediate: immediate as ImmediateName, // a test checks every row
        pops: pops === "*" ? undefined : Number(pops),
        pushes: pushes === "*" ? undefined : Number(pushes),
      };
    }
  }
  return table;
}

function operatorIndex(code: string): number {
  if (code.length <= 2) return Number.parseInt(code, 16);
  const page = prefixPages[Number.parseInt(code.slice(0, 2), 16) - firstPrefix] ?? 0;
  return page + Number.parseInt(code.slice(2), 16);
}
