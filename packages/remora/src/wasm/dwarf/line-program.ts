/** One unit of `.debug_line`: its header, its files, and the state machine that makes rows (DWARF 5, §6.2). */

import type { ByteReader } from "../byte-reader.ts";
import { wasmErrors } from "../errors.ts";
import { decodeUtf8 } from "../utf8.ts";
import { type LineRow, type StringSections, u32At } from "./line-table.ts";

interface Header {
  readonly version: number;
  readonly instructionBytesMin: number;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  readonly operandCounts: readonly number[];
  readonly files: readonly string[];
}

/** Appends the rows of a unit; `unit` starts behind its length. */
export function readLineUnit(
  unit: ByteReader,
  strings: StringSections,
  rows: LineRow[],
  rowsMax: number,
): void {
  const header = readHeader(unit, strings);
  runProgram(unit, header, rows, rowsMax);
}

function readHeader(unit: ByteReader, strings: StringSections): Header {
  const offset = unit.position;
  const version = u16(unit);
  if (version < 2 || version > 5) {
    throw wasmErrors.malformed({
      offset,
      what: "a line number unit",
      found: version,
      allowed: "version 2 to 5",
    });
  }
  if (version === 5) unit.skip(2, "address and segment sizes");
  const headerLength = u32(unit);
  const programStart = unit.position + headerLength;
  const instructionBytesMin = unit.byte();
  if (version >= 4) unit.byte(); // operations an instruction: 1 outside of VLIW
  unit.byte(); // whether rows are statements by default: every row counts here
  const lineBase = (unit.byte() << 24) >> 24;
  const lineRange = unit.byte();
  const opcodeBase = unit.byte();
  const operandCounts = Array.from({ length: Math.max(0, opcodeBase - 1) }, () => unit.byte());
  const files = version === 5 ? readFiles(unit, strings) : readOldFiles(unit);
  if (lineRange === 0 || programStart < unit.position) {
    throw wasmErrors.malformed({ offset, what: "a line number header", found: "0", allowed: "a line range" });
  }
  unit.skip(programStart - unit.position, "a line number program");
  return { version, instructionBytesMin, lineBase, lineRange, opcodeBase, operandCounts, files };
}

/** DWARF 2 to 4: directories, then files that name one; both end with an empty name, and count from 1. */
function readOldFiles(unit: ByteReader): string[] {
  const directories = [""];
  for (let name = cString(unit); name !== ""; name = cString(unit)) directories.push(name);
  const files = [""];
  for (let name = cString(unit); name !== ""; name = cString(unit)) {
    const directory = directories[unit.u32()] ?? "";
    unit.u64(); // time of modification
    unit.u64(); // length in bytes
    files.push(join(directory, name));
  }
  return files;
}

// DW_LNCT_path and DW_LNCT_directory_index.
const pathContent = 1;
const directoryContent = 2;

/** DWARF 5: both lists describe their own format, and count from 0. */
function readFiles(unit: ByteReader, strings: StringSections): string[] {
  const directories = readEntries(unit, strings).map((entry) => entry.path);
  return readEntries(unit, strings).map(({ path, directory }) => join(directories[directory] ?? "", path));
}

function readEntries(unit: ByteReader, strings: StringSections): { path: string; directory: number }[] {
  const formatCount = unit.byte();
  const formats = Array.from({ length: formatCount }, () => ({ content: unit.u32(), form: unit.u32() }));
  const count = unit.count("entries", { max: 1_000_000, itemBytesMin: formatCount === 0 ? 1 : formatCount });
  return Array.from({ length: count }, () => {
    const entry = { path: "", directory: 0 };
    for (const { content, form } of formats) {
      const value = readForm(unit, form, strings);
      if (content === pathContent) entry.path = `${value}`;
      if (content === directoryContent) entry.directory = Number(value);
    }
    return entry;
  });
}

/** The forms that DWARF 5 §6.2.4.1 allows for paths, indices, times, sizes and checksums. */
function readForm(unit: ByteReader, form: number, strings: StringSections): string | number {
  switch (form) {
    case 0x08: // DW_FORM_string
      return cString(unit);
    case 0x1f: // DW_FORM_line_strp
      return stringAt(strings.lineStrings, u32(unit));
    case 0x0e: // DW_FORM_strp
      return stringAt(strings.strings, u32(unit));
    case 0x0b: // DW_FORM_data1
      return unit.byte();
    case 0x05: // DW_FORM_data2
      return u16(unit);
    case 0x06: // DW_FORM_data4
      return u32(unit);
    case 0x07: // DW_FORM_data8
      unit.skip(8);
      return 0;
    case 0x0f: // DW_FORM_udata
      return Number(unit.u64());
    case 0x1e: // DW_FORM_data16: an MD5
      unit.skip(16);
      return 0;
    case 0x09: // DW_FORM_block
      unit.skip(unit.u32());
      return 0;
    default:
      throw wasmErrors.malformed({
        offset: unit.position,
        what: "a line number header",
        found: `form ${form}`,
        allowed: "strings, data and blocks",
      });
  }
}

function runProgram(unit: ByteReader, header: Header, rows: LineRow[], rowsMax: number): void {
  const { opcodeBase, lineBase, lineRange, instructionBytesMin: step } = header;
  let [address, file, line, column] = [0, 1, 1, 0];
  const row = (isEnd: boolean) => {
    if (rows.length < rowsMax) rows.push({ address, file: header.files[file] ?? "", line, column, isEnd });
  };
  while (!unit.isAtEnd) {
    const opcode = unit.byte();
    if (opcode >= opcodeBase) {
      const special = opcode - opcodeBase;
      address += Math.floor(special / lineRange) * step;
      line += lineBase + (special % lineRange);
      row(false);
    } else if (opcode === 0) extended();
    else standard(opcode);
  }

  function extended(): void {
    const part = unit.part(unit.u32(), "an extended opcode");
    const opcode = part.isAtEnd ? 0 : part.byte();
    if (opcode === 1) {
      row(true);
      [address, file, line, column] = [0, 1, 1, 0];
    } else if (opcode === 2) address = part.remaining >= 4 ? u32(part) : 0;
  }

  function standard(opcode: number): void {
    switch (opcode) {
      case 1: // copy
        row(false);
        return;
      case 2: // advance_pc
        address += unit.u32() * step;
        return;
      case 3: // advance_line
        line += unit.s32();
        return;
      case 4: // set_file
        file = unit.u32();
        return;
      case 5: // set_column
        column = unit.u32();
        return;
      case 8: // const_add_pc
        address += Math.floor((255 - opcodeBase) / lineRange) * step;
        return;
      case 9: // fixed_advance_pc
        address += u16(unit);
        return;
      default: {
        // Flags about statements, blocks and prologues, or opcodes of a later version: operands are skipped.
        const operands = header.operandCounts[opcode - 1] ?? 0;
        for (let index = 0; index < operands; index++) unit.u64();
      }
    }
  }
}

function join(directory: string, name: string): string {
  return directory === "" || name.startsWith("/") ? name : `${directory}/${name}`;
}

function u16(unit: ByteReader): number {
  const low = unit.byte();
  return low | (unit.byte() << 8);
}

function u32(unit: ByteReader): number {
  return u32At(unit.take(4), 0);
}

function cString(unit: ByteReader): string {
  const start = unit.position;
  while (unit.byte("a string") !== 0);
  return decodeUtf8(unit.bytes, start, unit.position - 1) ?? "?";
}

function stringAt(section: Uint8Array | undefined, offset: number): string {
  if (section === undefined || offset >= section.length) return "?";
  const end = section.indexOf(0, offset);
  return decodeUtf8(section, offset, end < 0 ? section.length : end) ?? "?";
}
