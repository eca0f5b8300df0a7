/* A backtracking matcher for . * + ? ^ $ and classes, over n generated lines. */
#include "kernel.h"
static i32 here(const char *pattern, const char *text);
static i32 one(const char *pattern, char c) { return c && (*pattern == '.' || *pattern == c || (*pattern == '#' && c >= '0' && c <= '9')); }
static i32 star(const char *item, i32 least, const char *rest, const char *text) {
  const char *t = text;
  while (one(item, *t)) t++;
  for (; t - text >= least; t--) if (here(rest, t)) return 1;
  return 0;
}
static i32 here(const char *pattern, const char *text) {
  if (!*pattern) return 1;
  if (pattern[1] == '*') return star(pattern, 0, pattern + 2, text);
  if (pattern[1] == '+') return star(pattern, 1, pattern + 2, text);
  if (pattern[1] == '?') return (one(pattern, *text) && here(pattern + 2, text + 1)) || here(pattern + 2, text);
  if (*pattern == '$' && !pattern[1]) return !*text;
  return one(pattern, *text) && here(pattern + 1, text + 1);
}
static i32 match(const char *pattern, const char *text) {
  if (*pattern == '^') return here(pattern + 1, text);
  do if (here(pattern, text)) return 1; while (*text++);
  return 0;
}
EXPORT u32 run(u32 n) {
  static const char *const patterns[] = {"^a.*b#+$", "x?y*z", "#+.#+.#+", "ab+a*b$", "c.c.c"};
  char line[65];
  u32 matches = 0;
  seed_random(11);
  for (u32 i = 0; i < n; i++) {
    u32 size = 8 + next_random() % 56;
    for (u32 j = 0; j < size; j++) line[j] = "abcxyz0123456789."[next_random() % 17];
    line[size] = 0;
    for (u32 p = 0; p < 5; p++) matches = matches * 3 + (u32)match(patterns[p], line);
  }
  return matches;
}
