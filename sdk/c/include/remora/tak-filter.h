/* What a TAK filter in C stands on: omnitak:plugin@0.1.0, world filter-plugin, without a C library. The plugin defines
 * `evaluate`, `description` and `metadata`; this file exports them as the host calls them. Include it once. */

#ifndef REMORA_TAK_FILTER_H
#define REMORA_TAK_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A text in UTF-8, without a zero at its end. */
typedef struct {
  const char *bytes;
  size_t size;
} text;

#define TEXT(literal) {literal, sizeof(literal) - 1}

typedef struct {
  bool is_some;
  text value;
} option_text;

typedef struct {
  bool is_some;
  double value;
} option_double;

/* One Cursor-on-Target event; good until the call returns. */
typedef struct {
  text cot_type;
  text uid;
  option_text callsign;
  option_text group;
  option_text team;
  double lat;
  double lon;
  option_double hae;
  text time;
  option_text xml_payload;
} cot_message;

typedef enum { PASS, BLOCK } filter_result;

typedef struct {
  text id;
  text name;
  text version;
  text author;
  text description;
  uint64_t max_execution_time_us;
} filter_metadata;

/* The layout is the canonical ABI's; what the compiler makes of the structures has to agree with it. */
_Static_assert(sizeof(cot_message) == 112, "record cot-message");
_Static_assert(offsetof(cot_message, lat) == 56, "field lat");
_Static_assert(sizeof(filter_metadata) == 48, "record filter-metadata");

/* By the plugin. */
static filter_result evaluate(const cot_message *message);
static const filter_metadata metadata;

/* Arguments live until the call returns: a bump pointer from the end of the static data to the end of memory. */
extern unsigned char __heap_base;
static uintptr_t arena_next;

__attribute__((export_name("cabi_realloc"))) void *remora_realloc(void *old, size_t old_size, size_t align,
                                                                  size_t size) {
  const uintptr_t page_size = 65536;
  if (arena_next == 0) arena_next = (uintptr_t)&__heap_base;
  uintptr_t at = (arena_next + align - 1) & ~(uintptr_t)(align - 1);
  if (size > UINT32_MAX - at) __builtin_trap();
  uintptr_t end = at + size;
  uintptr_t available = __builtin_wasm_memory_size(0) * page_size;
  if (end > available) {
    size_t pages = (end - available + page_size - 1) / page_size;
    if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) __builtin_trap();
  }
  if (old) __builtin_memcpy((void *)at, old, old_size < size ? old_size : size);
  arena_next = end;
  return (void *)at;
}

__attribute__((export_name("omnitak:plugin/filter@0.1.0#evaluate"))) int32_t remora_evaluate(
    const cot_message *message) {
  filter_result result = evaluate(message);
  arena_next = 0;
  return result;
}

__attribute__((export_name("omnitak:plugin/filter@0.1.0#describe"))) const text *remora_describe(void) {
  return &metadata.description;
}

__attribute__((export_name("omnitak:plugin/filter@0.1.0#get-metadata"))) const filter_metadata *remora_metadata(
    void) {
  return &metadata;
}

#endif
