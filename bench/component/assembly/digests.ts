// Three digests of one family, in hex.

export function sha256(bytes: Uint8Array): string {
  const k: StaticArray<u32> = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2,
  ];
  const state: StaticArray<u32> = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
  ];
  const blocks = padded(bytes, true);
  const w = new StaticArray<u32>(64);
  for (let block = 0; block < blocks.length; block += 64) {
    for (let step = 0; step < 16; step++) w[step] = bigEndian(blocks, block + 4 * step);
    for (let step = 16; step < 64; step++) {
      const a = w[step - 15];
      const b = w[step - 2];
      const s0 = rotr<u32>(a, 7) ^ rotr<u32>(a, 18) ^ (a >>> 3);
      const s1 = rotr<u32>(b, 17) ^ rotr<u32>(b, 19) ^ (b >>> 10);
      w[step] = w[step - 16] + s0 + w[step - 7] + s1;
    }
    const s = StaticArray.fromArray<u32>(state.slice<u32[]>());
    for (let step = 0; step < 64; step++) {
      const e = s[4];
      const t1 =
        s[7] + (rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25)) + ((e & s[5]) ^ (~e & s[6])) + k[step] + w[step];
      const a = s[0];
      const t2 = (rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
      s[7] = s[6];
      s[6] = s[5];
      s[5] = e;
      s[4] = s[3] + t1;
      s[3] = s[2];
      s[2] = s[1];
      s[1] = a;
      s[0] = t1 + t2;
    }
    for (let index = 0; index < 8; index++) state[index] += s[index];
  }
  return hex(state);
}

export function sha1(bytes: Uint8Array): string {
  const state: StaticArray<u32> = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
  const blocks = padded(bytes, true);
  const w = new StaticArray<u32>(80);
  for (let block = 0; block < blocks.length; block += 64) {
    for (let step = 0; step < 16; step++) w[step] = bigEndian(blocks, block + 4 * step);
    for (let step = 16; step < 80; step++) {
      w[step] = rotl<u32>(w[step - 3] ^ w[step - 8] ^ w[step - 14] ^ w[step - 16], 1);
    }
    let a = state[0];
    let b = state[1];
    let c = state[2];
    let d = state[3];
    let e = state[4];
    for (let step = 0; step < 80; step++) {
      let mixed: u32;
      if (step < 20) mixed = ((b & c) | (~b & d)) + 0x5a827999;
      else if (step < 40) mixed = (b ^ c ^ d) + 0x6ed9eba1;
      else if (step < 60) mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
      else mixed = (b ^ c ^ d) + 0xca62c1d6;
      const next = rotl<u32>(a, 5) + mixed + e + w[step];
      e = d;
      d = c;
      c = rotl<u32>(b, 30);
      b = a;
      a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
  }
  return hex(state);
}

export function md5(bytes: Uint8Array): string {
  const turns: StaticArray<u32> = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
  const state: StaticArray<u32> = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
  const blocks = padded(bytes, false);
  for (let block = 0; block < blocks.length; block += 64) {
    let a = state[0];
    let b = state[1];
    let c = state[2];
    let d = state[3];
    for (let step = 0; step < 64; step++) {
      let mixed: u32;
      let from: i32;
      if (step < 16) {
        mixed = (b & c) | (~b & d);
        from = step;
      } else if (step < 32) {
        mixed = (d & b) | (~d & c);
        from = (5 * step + 1) & 15;
      } else if (step < 48) {
        mixed = b ^ c ^ d;
        from = (3 * step + 5) & 15;
      } else {
        mixed = c ^ (b | ~d);
        from = (7 * step) & 15;
      }
      const constant = <u32>(<u64>Math.floor(Math.abs(Math.sin(<f64>(step + 1))) * 4294967296.0));
      mixed += a + constant + load<u32>(blocks.dataStart + block + 4 * from);
      a = d;
      d = c;
      c = b;
      b += rotl<u32>(mixed, turns[((step >> 4) << 2) | (step & 3)]);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
  }
  for (let index = 0; index < 4; index++) state[index] = bswap<u32>(state[index]);
  return hex(state);
}

function padded(bytes: Uint8Array, isBigEndian: bool): Uint8Array {
  const size = (bytes.length + 9 + 63) & ~63;
  const blocks = new Uint8Array(size);
  blocks.set(bytes);
  blocks[bytes.length] = 0x80;
  const bits = <u64>bytes.length << 3;
  store<u64>(blocks.dataStart + size - 8, isBigEndian ? bswap<u64>(bits) : bits);
  return blocks;
}

function bigEndian(bytes: Uint8Array, at: i32): u32 {
  return bswap<u32>(load<u32>(bytes.dataStart + at));
}

function hex(words: StaticArray<u32>): string {
  let text = "";
  for (let index = 0; index < words.length; index++) text += words[index].toString(16).padStart(8, "0");
  return text;
}
