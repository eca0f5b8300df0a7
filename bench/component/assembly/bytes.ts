// A checksum, a distance, and a small LZ77.

export function crc32(bytes: Uint8Array): u32 {
  let crc: u32 = 0xffffffff;
  for (let index = 0; index < bytes.length; index++) {
    crc ^= bytes[index];
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc;
}

export function levenshtein(a: string, b: string): i32 {
  let previous = new Array<i32>(b.length + 1);
  for (let column = 0; column <= b.length; column++) previous[column] = column;
  for (let row = 1; row <= a.length; row++) {
    const current = new Array<i32>(b.length + 1);
    current[0] = row;
    for (let column = 1; column <= b.length; column++) {
      const change = previous[column - 1] + i32(a.charCodeAt(row - 1) != b.charCodeAt(column - 1));
      current[column] = min(change, min(previous[column], current[column - 1]) + 1);
    }
    previous = current;
  }
  return previous[b.length];
}

/** Pairs of distance and length, or a zero and a literal. */
export function packed(bytes: Uint8Array): Uint8Array {
  const out = new Array<u8>();
  const places = new Map<u32, i32>();
  let at = 0;
  while (at < bytes.length) {
    let length = 0;
    let distance = 0;
    if (at + 3 <= bytes.length) {
      const key = (<u32>bytes[at] << 16) | (<u32>bytes[at + 1] << 8) | <u32>bytes[at + 2];
      if (places.has(key)) {
        distance = at - places.get(key);
        while (length < 255 && at + length < bytes.length && bytes[at + length] == bytes[at + length - distance]) length++;
      }
      places.set(key, at);
    }
    if (length >= 3 && distance < 256) {
      out.push(<u8>distance);
      out.push(<u8>length);
      at += length;
    } else {
      out.push(0);
      out.push(bytes[at++]);
    }
  }
  const result = new Uint8Array(out.length);
  for (let index = 0; index < out.length; index++) result[index] = out[index];
  return result;
}

export function unpacked(bytes: Uint8Array): Uint8Array {
  const out = new Array<u8>();
  for (let at = 0; at < bytes.length; at += 2) {
    const distance = bytes[at];
    if (distance == 0) out.push(bytes[at + 1]);
    else for (let count = bytes[at + 1]; count > 0; count--) out.push(out[out.length - distance]);
  }
  const result = new Uint8Array(out.length);
  for (let index = 0; index < out.length; index++) result[index] = out[index];
  return result;
}
