/* Parses a JSON document n times into a tree in an arena and sums its numbers: branchy code on bytes. */
#include "kernel.h"
struct node { u8 kind; i32 number; struct node *first, *next; };
static struct node arena[4096];
static u32 used;
static char text[1 << 15];
static u32 length;
static const char *at;
static void put(const char *piece) { while (*piece) text[length++] = *piece++; }
static void put_number(u32 value) {
  char digits[12]; u32 count = 0;
  do { digits[count++] = (char)('0' + value % 10); value /= 10; } while (value);
  while (count) text[length++] = digits[--count];
}
static struct node *make(u8 kind) {
  struct node *node = &arena[used++ & 4095];
  node->kind = kind; node->number = 0; node->first = 0; node->next = 0;
  return node;
}
static void skip(void) { while (*at == ' ' || *at == '\n' || *at == ',' || *at == ':') at++; }
static struct node *value(void) {
  skip();
  char c = *at;
  if (c == '{' || c == '[') {
    char close = c == '{' ? '}' : ']';
    struct node *node = make((u8)c), **tail = &node->first;
    at++;
    for (skip(); *at && *at != close; skip()) { *tail = value(); tail = &(*tail)->next; }
    if (*at) at++;
    return node;
  }
  if (c == '"') {
    struct node *node = make('"');
    for (at++; *at && *at != '"'; at++) { if (*at == '\\') at++; node->number = node->number * 33 + *at; }
    if (*at) at++;
    return node;
  }
  if (c == '-' || (c >= '0' && c <= '9')) {
    struct node *node = make('0');
    i32 sign = 1;
    if (c == '-') { sign = -1; at++; }
    while (*at >= '0' && *at <= '9') node->number = node->number * 10 + (*at++ - '0');
    node->number *= sign;
    return node;
  }
  while (*at >= 'a' && *at <= 'z') at++;
  if (c < 'a' || c > 'z') at++;
  return make('l');
}
static i32 total(const struct node *node) {
  i32 sum = node->number;
  for (const struct node *child = node->first; child; child = child->next) sum += total(child);
  return sum;
}
EXPORT u32 run(u32 n) {
  length = 0;
  seed_random(3);
  put("{\"version\": 1, \"events\": [");
  for (u32 i = 0; i < 120; i++) {
    put("{\"id\": "); put_number(i); put(", \"uid\": \"ANDROID-"); put_number(next_random() % 100000);
    put("\", \"flags\": [true, false, null], \"point\": {\"lat\": -"); put_number(next_random() % 90);
    put(", \"lon\": "); put_number(next_random() % 180); put("}}, ");
  }
  put("]}");
  text[length] = 0;
  i32 sum = 0;
  for (u32 i = 0; i < n; i++) { used = 0; at = text; sum += total(value()); }
  return (u32)sum;
}
