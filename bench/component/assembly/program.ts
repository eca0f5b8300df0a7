// A program of some size: what a plugin of a few hundred lines carries with it. `run` does one thing with
// each part, so that nothing is optimised away, and gives back a line of text.

import { crc32, levenshtein, packed, unpacked } from "./bytes";
import { Matrix, fourier } from "./numbers";
import { counted, formatted, shortest, sorted } from "./collections";
import { md5, sha1, sha256 } from "./digests";
import { parseJson, printJson } from "./json";

let kept: string = "";

export function run(at: usize, length: usize): usize {
  const text = String.UTF16.decodeUnsafe(at, length << 1);
  const utf8 = Uint8Array.wrap(String.UTF8.encode(text));
  const squeezed = packed(utf8);
  const parts: string[] = [
    crc32(utf8).toString(16),
    sha256(utf8),
    sha1(utf8),
    md5(utf8),
    (squeezed.length <= utf8.length + 16).toString(),
    (unpacked(squeezed).length == utf8.length).toString(),
    levenshtein(text, "kitten").toString(),
    counted(text),
    sorted(text),
    shortest(text.length).toString(),
    formatted(utf8.length),
    Matrix.hilbert(5).determinant().toString(),
    fourier(text).toString(),
    printJson(parseJson('{"a": [1, 2.5, "x\\u0041", null, true], "b": {"c": -1e3}}')),
  ];
  kept = parts.join(" ");
  const result = memory.data(8, 4);
  store<usize>(result, changetype<usize>(kept));
  store<usize>(result, <usize>kept.length, 4);
  return result;
}

export function cabi_realloc(oldAt: usize, oldSize: usize, align: usize, newSize: usize): usize {
  return oldAt == 0 ? heap.alloc(newSize) : heap.realloc(oldAt, newSize);
}
