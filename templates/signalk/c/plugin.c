/* Shows the depth below the transducer as its status. Change it to what your plugin is for. No C library: what the
   host calls and what it offers are the functions below. */

#include <stddef.h>

#define EXPORT(name) __attribute__((export_name(#name))) name
#define IMPORT(name) __attribute__((import_module("env"), import_name(#name))) name

void IMPORT(sk_set_status)(const char *text, size_t length);

/* Where the host puts what it hands over. It frees everything when its call is over, so that the next may begin anew. */
static char arena[1 << 17];
static size_t used, blocks;

void *EXPORT(allocate)(size_t length) {
  char *block = arena + used;
  if (length > sizeof(arena) - used) return NULL;
  blocks++;
  used += (length + 15) & ~(size_t)15;
  return block;
}

void EXPORT(deallocate)(void *block, size_t length) {
  if (--blocks == 0) used = 0;
}

/* As much of a text as there is room for. */
static size_t put(char *out, size_t at, size_t max, const char *text, size_t length) {
  for (size_t i = 0; i < length && at < max; i++) out[at++] = text[i];
  return at;
}

#define PUT(out, at, max, literal) put(out, at, max, literal, sizeof(literal) - 1)
#define SET_STATUS(literal) sk_set_status(literal, sizeof(literal) - 1)

int EXPORT(plugin_id)(char *out, size_t max) { return (int)PUT(out, 0, max, "my-plugin"); }

int EXPORT(plugin_name)(char *out, size_t max) { return (int)PUT(out, 0, max, "my-plugin"); }

/* What an operator may set, as JSON Schema; the settings come to plugin_start as JSON. */
int EXPORT(plugin_schema)(char *out, size_t max) {
  return (int)PUT(out, 0, max, "{\"type\":\"object\",\"properties\":{}}");
}

/* 0 when it has started. */
int EXPORT(plugin_start)(const char *settings, size_t length) {
  SET_STATUS("Waiting for a depth");
  return 0;
}

int EXPORT(plugin_stop)(void) { return 0; }

/* What stands behind a text, or NULL. */
static const char *after(const char *json, const char *end, const char *text, size_t length) {
  for (const char *at = json; (size_t)(end - at) >= length; at++) {
    size_t same = 0;
    while (same < length && at[same] == text[same]) same++;
    if (same == length) return at + length;
  }
  return NULL;
}

#define AFTER(json, end, literal) after(json, end, literal, sizeof(literal) - 1)

/* Gets every delta, as JSON; most are about something else. */
void EXPORT(delta_handler)(const char *delta, size_t length) {
  const char *end = delta + length;
  const char *path = AFTER(delta, end, "\"path\":\"environment.depth.belowTransducer\"");
  const char *value = path == NULL ? NULL : AFTER(path, end, "\"value\":");
  /* A depth that nobody knows is null. */
  if (value == NULL || value == end || *value == 'n') return;
  size_t digits = 0;
  while (value + digits < end && value[digits] != ',' && value[digits] != '}') digits++;
  char status[64];
  size_t at = PUT(status, 0, sizeof(status), "Depth is ");
  at = put(status, at, sizeof(status), value, digits);
  sk_set_status(status, PUT(status, at, sizeof(status), " m"));
}
