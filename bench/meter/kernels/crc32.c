/* CRC-32 by table over n bytes: one load and one lookup a byte. */
#include "kernel.h"
static u32 table[256];
static u8 data[1 << 16];
EXPORT u32 run(u32 n) {
  for (u32 i = 0; i < 256; i++) { u32 c = i; for (u32 k = 0; k < 8; k++) c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1; table[i] = c; }
  for (u32 i = 0; i < sizeof data; i++) data[i] = (u8)(i * 31);
  u32 crc = ~0u;
  for (u32 i = 0; i < n; i++) crc = crc >> 8 ^ table[(crc ^ data[i & 0xffff]) & 0xff];
  return ~crc;
}
