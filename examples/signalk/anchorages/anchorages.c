/* Keeps anchorages as resources: GET, PUT and DELETE of /signalk/v2/api/resources/anchorages. No library, no files:
   what is kept lives as long as the plugin runs. */

#include <stdbool.h>
#include <stddef.h>
#define EXPORT(name) __attribute__((export_name(#name))) name
#define IMPORT(name) __attribute__((import_module("env"), import_name(#name)))
IMPORT(sk_register_resource_provider) int sk_register_resource_provider(const char *type, size_t length);

enum { kept_max = 64, id_max = 64, json_max = 1024, arena_size = 1 << 18 };

static struct {
  char id[id_max], json[json_max];
  size_t id_length, json_length;
} kept[kept_max];
static size_t count;

/* The host frees what it allocated when its call is over, so that a call may begin anew at the bottom. */
static char arena[arena_size];
static size_t used, blocks;
void *EXPORT(allocate)(size_t length) {
  char *block = arena + used;
  if (used + length > arena_size) return NULL;
  blocks++, used += (length + 15) & ~(size_t)15;
  return block;
}
void EXPORT(deallocate)(void *block, size_t length) { if (--blocks == 0) used = 0; }

static int put(char *out, size_t at, size_t max, const char *text, size_t length) {
  for (size_t i = 0; i < length && at + i < max; i++) out[at + i] = text[i];
  return (int)(at + length <= max ? at + length : max);
}
#define ANSWER(text) return put(out, 0, max, text, sizeof(text) - 1)
int EXPORT(plugin_id)(char *out, size_t max) { ANSWER("anchorages"); }
int EXPORT(plugin_name)(char *out, size_t max) { ANSWER("Anchorages"); }
int EXPORT(plugin_schema)(char *out, size_t max) { ANSWER("{\"type\":\"object\",\"properties\":{}}"); }
int EXPORT(plugin_start)(const char *config, size_t length) {
  return sk_register_resource_provider("anchorages", 10) == 1 ? 0 : 1;
}
int EXPORT(plugin_stop)(void) { return 0; }

static bool same(const char *a, const char *b, size_t length) {
  while (length > 0 && a[length - 1] == b[length - 1]) length--;
  return length == 0;
}
/* What stands behind a key, up to the quote that ends it, or up to the brace that does. */
static const char *after(const char *json, size_t length, const char *key, size_t key_length, size_t *found) {
  for (size_t at = 0; at + key_length < length; at++) {
    if (!same(json + at, key, key_length)) continue;
    const char *start = json + at + key_length, *end = start;
    for (int depth = 0; end < json + length; end++) {
      if (*end == '{') depth++;
      if (*start == '{' ? (*end == '}' && --depth == 0) : *end == '"') break;
    }
    *found = (size_t)(end - start) + (*start == '{');
    return start;
  }
  return NULL;
}

static size_t find(const char *id, size_t length) {
  for (size_t i = 0; i < count; i++) {
    if (id != NULL && kept[i].id_length == length && same(kept[i].id, id, length)) return i;
  }
  return count;
}

#define HANDLER(name) int EXPORT(name)(const char *request, size_t length, char *out, size_t max)
#define ID(id_length) after(request, length, "\"id\":\"", 6, &id_length)

HANDLER(resources_list_resources) {
  int at = put(out, 0, max, "{", 1);
  for (size_t i = 0; i < count; i++) {
    at = put(out, at, max, i == 0 ? "\"" : ",\"", i == 0 ? 1 : 2);
    at = put(out, put(out, at, max, kept[i].id, kept[i].id_length), max, "\":", 2);
    at = put(out, at, max, kept[i].json, kept[i].json_length);
  }
  return put(out, at, max, "}", 1);
}
HANDLER(resources_get_resource) {
  size_t id_length = 0, at = find(ID(id_length), id_length);
  if (at == count) ANSWER("null");
  return put(out, 0, max, kept[at].json, kept[at].json_length);
}
HANDLER(resources_set_resource) {
  size_t id_length = 0, value_length = 0;
  const char *id = ID(id_length), *value = after(request, length, "\"value\":", 8, &value_length);
  size_t at = find(id, id_length);
  if (id == NULL || value == NULL || at == kept_max || id_length > id_max || value_length > json_max) __builtin_trap();
  kept[at].id_length = (size_t)put(kept[at].id, 0, id_max, id, id_length);
  kept[at].json_length = (size_t)put(kept[at].json, 0, json_max, value, value_length);
  if (at == count) count++;
  ANSWER("{}");
}
HANDLER(resources_delete_resource) {
  size_t id_length = 0, at = find(ID(id_length), id_length);
  if (at < count) kept[at] = kept[--count];
  ANSWER("{}");
}
