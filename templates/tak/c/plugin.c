/* Passes what is inside an area and blocks what is outside. Change it to what your plugin is for. */

#include <remora/tak-filter.h>

static filter_result evaluate(const cot_message *message) {
  bool is_inside = message->lat > 51.9 && message->lat < 52.2 && message->lon > 4.1 && message->lon < 4.5;
  return is_inside ? PASS : BLOCK;
}

static const filter_metadata metadata = {
    .id = TEXT("my-plugin"),
    .name = TEXT("my-plugin"),
    .version = TEXT("0.1.0"),
    .author = TEXT("The authors of my-plugin"),
    .description = TEXT("Passes what is inside the area"),
    .max_execution_time_us = 100,
};
