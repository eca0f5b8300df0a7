/* Three kinds of work in turn, as general benchmarks have it: a linked list, a matrix of shorts, a state machine. */
#include "kernel.h"
struct item { struct item *next; i32 value; };
static struct item items[256];
static u16 matrix[24][24];
static const char input[] = "12,-7,0x1f,3.5e2,abc,+9,1e,77,-0.25,0xg,5";
static struct item *merge(struct item *a, struct item *b) {
  struct item head, *tail = &head;
  while (a && b) { struct item **from = a->value <= b->value ? &a : &b; tail->next = *from; tail = *from; *from = (*from)->next; }
  tail->next = a ? a : b;
  return head.next;
}
static struct item *sort(struct item *list) {
  if (!list || !list->next) return list;
  struct item *slow = list, *fast = list->next;
  while (fast && fast->next) { slow = slow->next; fast = fast->next->next; }
  struct item *second = slow->next;
  slow->next = 0;
  return merge(sort(list), sort(second));
}
static u32 states(void) {
  u32 counts[8] = {0}, state = 0;
  for (const char *c = input; *c; c++) {
    counts[state]++;
    switch (state) {
      case 0: state = *c == '+' || *c == '-' ? 1 : *c >= '0' && *c <= '9' ? 2 : *c == '.' ? 3 : 7; break;
      case 1: state = *c >= '0' && *c <= '9' ? 2 : *c == '.' ? 3 : 7; break;
      case 2: state = *c == '.' ? 3 : *c == 'e' ? 4 : *c == 'x' ? 6 : *c >= '0' && *c <= '9' ? 2 : 7; break;
      case 3: state = *c == 'e' ? 4 : *c >= '0' && *c <= '9' ? 3 : 7; break;
      case 4: state = *c >= '0' && *c <= '9' ? 5 : 7; break;
      case 5: state = *c >= '0' && *c <= '9' ? 5 : 7; break;
      case 6: state = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'f') ? 6 : 7; break;
      default: break;
    }
    if (*c == ',') state = 0;
  }
  return counts[2] * 64 + counts[5] * 8 + counts[7];
}
EXPORT u32 run(u32 n) {
  u32 sum = 0;
  seed_random(21);
  for (u32 round = 0; round < n; round++) {
    for (u32 i = 0; i < 256; i++) { items[i].value = (i32)(next_random() % 1000); items[i].next = i < 255 ? &items[i + 1] : 0; }
    for (struct item *item = sort(items); item; item = item->next) sum = sum * 3 + (u32)item->value;
    for (u32 i = 0; i < 24; i++) for (u32 j = 0; j < 24; j++) matrix[i][j] = (u16)(i * j + round);
    for (u32 i = 0; i < 24; i++) for (u32 j = 0; j < 24; j++) {
      u32 product = 0;
      for (u32 k = 0; k < 24; k++) product += (u32)matrix[i][k] * matrix[k][j];
      sum += product >> 4 & 0xff;
    }
    sum += states();
  }
  return sum;
}
