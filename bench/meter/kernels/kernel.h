/* What every kernel has: one export, its input made by itself, its output one checksum. Freestanding. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;
typedef long long i64;

#define EXPORT __attribute__((export_name("run")))

static u32 random_state = 12345;
static inline u32 next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state;
}
static inline void seed_random(u32 seed) { random_state = seed * 2654435761u + 1; }

/* clang calls these by itself. */
void *memcpy(void *to, const void *from, unsigned long size) {
  u8 *t = to; const u8 *f = from;
  while (size--) *t++ = *f++;
  return to;
}
void *memset(void *to, int value, unsigned long size) {
  u8 *t = to;
  while (size--) *t++ = (u8)value;
  return to;
}
